import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takeHostLock } from '../../src/fleet/apply/host-locks.ts';
import { hostLock } from '../../src/fleet/file/paths.ts';
import { localLocks, tryLock } from '../../src/io/lock.ts';
import { placesOf } from '../../src/io/places.ts';
import { localWorld } from '../../src/io/local-world.ts';
import type { World } from '../../src/io/world.ts';
import { makePlace, until } from '../support/berth.ts';

const fleet = `version: 1
fleet: lab
deployments:
  a: {engine: {kind: command, command: ["true", "{port}"]}}
`;

/** That of another user, or of the same one from cron, where no login has made a folder. */
function worldOf(home: string, stateDir?: string): World {
  const places = placesOf({ HOME: home }, stateDir);
  return { ...localWorld(), places, locks: localLocks(join(places.runtime, 'locks')) };
}

test('two users of a machine, or one of two logins, do not change it at once', async () => {
  const [alice, bob] = [worldOf('/home/alice'), worldOf('/home/bob')];
  expect(hostLock(bob)).toBe(hostLock(alice));
  const patient = { who: 'berth apply of fleet lab', onProgress: () => {}, waitMs: 100_000 };
  using _held = await takeHostLock(alice, patient);
  await expect(takeHostLock(bob, { ...patient, waitMs: 0 })).rejects.toMatchObject({ code: 'LOCKED' });
});

test('what is kept apart waits for nobody else, and for its own', async () => {
  const place = makePlace();
  onTestFinished(() => place.close());
  place.write(fleet);
  const own = worldOf(place.folder, place.env['BERTH_STATE_DIR']);
  expect(hostLock(own)).not.toBe(hostLock(worldOf(place.folder)));
  const lock = await tryLock(hostLock(own), 'berth apply of fleet other (process 1)');
  const applied = place.spawn('apply');
  try {
    const waiting = 'Waiting for berth apply of fleet other (process 1)';
    await until(() => applied.output().stderr.includes(waiting), 'apply to wait');
  } finally {
    lock?.release();
  }
});

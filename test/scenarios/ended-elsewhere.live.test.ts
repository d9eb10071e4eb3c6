import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { redisServer, store } from '../gateway/redis.ts';
import { fakeEngine, makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

describe.skipIf(!redisServer.there)(`what ends from elsewhere (${redisServer.name})`, () => {
  test('is not started again by a "berth up" whose journal knows nothing of it', async () => {
    const { urlFile } = await store();
    const id = randomBytes(8).toString('hex');
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    const fleet = `version: 1
fleet: lab-${id}
id: "${id}"
${ownPorts()}
gateway: {listen: ["127.0.0.1:0"], limits: {shared: "${readFileSync(urlFile, 'utf8').trim()}"}}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {engine: {kind: command, command: ${command}, stopGrace: 1s}}
  b: {engine: {kind: command, command: ${command}, stopGrace: 1s}}
`;
    const [here, there] = [placeOf(fleet), placeOf(fleet)];
    const up = here.spawn('up');
    await vi.waitFor(() => expect(up.output().stdout).toContain('is up.'), 60_000);
    const other = await there.berth('up', '--detach');
    expect(other.code, other.stderr).toBe(0);
    const b = await pidOf(here, 'b');

    const ended = await there.berth('down', '--only', 'a');
    expect(ended.code, ended.stderr).toBe(0);
    await sleep(5_000);
    expect(up.output().stderr).not.toContain('a has ended');
    expect([await pidOf(here, 'a'), await pidOf(here, 'b')]).toEqual([null, b]);
  });
});

/** Gone when the test ends, with what was started there. */
function placeOf(fleet: string): Place {
  const place = makePlace();
  place.write(fleet);
  onTestFinished(async () => {
    await place.berth('down');
    await place.close();
  });
  return place;
}

async function pidOf(place: Place, name: string): Promise<number | null> {
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  return deployments.find((one) => one.name === name)?.replicas[0]?.pid ?? null;
}

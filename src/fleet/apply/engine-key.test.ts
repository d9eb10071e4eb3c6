import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { podMark } from '../../../test/support/cluster-pod.ts';
import { localWorld } from '../../io/local-world.ts';
import { placesOf } from '../../io/places.ts';
import { nameSecrets } from '../file/named-secrets.ts';
import { fleetPaths } from '../file/paths.ts';
import { engineHeaders, keyFileOf, makeEngineKey } from './engine-key.ts';

function markWith(key: { file: string } | { env: string }): typeof podMark {
  return { ...podMark, spec: { ...podMark.spec, secrets: { key } } };
}

test('a mark that names another file or a variable as the key of an engine is told nothing of what is there, and nothing is made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const world = { ...localWorld(), env: { SECRET: 's3cret' }, places: placesOf({}, folder) };
  const other = join(folder, 'id_rsa');
  writeFileSync(other, 's3cret');
  for (const key of [{ file: other }, { env: 'SECRET' }]) {
    expect(await engineHeaders(world, markWith(key))).toEqual({});
    expect(keyFileOf(markWith(key))).toBeNull();
  }
  const made = join(folder, 'made');
  await makeEngineKey(world, markWith({ file: made }));
  expect(existsSync(made)).toBe(false);

  const { deployment: name, target } = podMark;
  const stated = { name, target, engine: { kind: 'vllm' }, model: null, host: 'local' };
  await nameSecrets(world, { ...podMark, hosts: {}, deployments: [stated] });
  // Whoever applied it may have another state folder.
  for (const places of [world.places, placesOf({}, join(folder, 'other'))]) {
    const own = join(fleetPaths({ ...world, places }, podMark).engineKeys, podMark.deployment);
    mkdirSync(dirname(own), { recursive: true });
    writeFileSync(own, 'k');
    expect(await engineHeaders(world, markWith({ file: own }))).toEqual({ authorization: 'Bearer k' });
  }
});

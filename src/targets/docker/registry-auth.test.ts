import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { registryAuth } from './registry-auth.ts';

/** A user with that login, or none. */
function userWith(user: string | null, machine = 'local'): World {
  const folder = mkdtempSync(join(tmpdir(), 'berth-logins-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const auth = Buffer.from(`${user}:secret`).toString('base64');
  if (user !== null)
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { 'quay.io': { auth } } }));
  return { ...localWorld(), machine, env: { DOCKER_CONFIG: folder } };
}

async function usedOn(there: string | null, here: string | null): Promise<[string | undefined, string]> {
  const world = { ...userWith(there, 'ssh://box'), home: userWith(here) };
  const { header, told } = await registryAuth(world, 'quay.io/a/b:1', { podman: false });
  const login = JSON.parse(Buffer.from(header ?? 'e30=', 'base64url').toString()) as { username?: string };
  return [login.username, told];
}

test('on another machine the login of its own user counts before that of the one who runs berth', async () => {
  const [own, told] = await usedOn('there', 'here');
  expect(own).toBe('there');
  expect(told).toMatch(/^with the login in .*config\.json of ssh:\/\/box$/);
  expect((await usedOn(null, 'here'))[0]).toBe('here');
  expect(await usedOn(null, null)).toEqual([undefined, 'without a login']);
});

test('a file that cannot be understood is told, and the pull is tried without', async () => {
  const world = userWith(null);
  writeFileSync(join(world.env['DOCKER_CONFIG'] ?? '', 'config.json'), '{"auths": "no');
  const { header, told } = await registryAuth(world, 'quay.io/a/b', { podman: false });
  expect([header, told]).toEqual([null, expect.stringContaining('config.json is no file of logins')]);
});

import { expect, test } from 'vitest';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import type { Mark } from '../../domain/instance.ts';
import { localWorld } from '../../io/local-world.ts';
import { SystemdOptions } from './options.ts';
import { ensureImage, readerOfSecrets } from './podman.ts';
import { userScope } from './scope.ts';

const options = SystemdOptions.parse({ kind: 'systemd', container: { user: '1000' } });

function markOf(secrets: Mark['spec']['secrets']): Mark {
  return {
    fleet: 'lab',
    fleetId: 'x',
    deployment: 'chat',
    replica: 0,
    target: { ...options },
    address: '127.0.0.1',
    port: 8000,
    logFile: '',
    declared: {},
    spec: {
      ...bareSpec,
      program: { images: { cpu: 'e/cpu:1' } },
      secrets,
      stop: { signal: 'SIGTERM', graceMs: 1_000 },
    },
  };
}

test('a podman without root refuses secrets for a user of its own, and no file that anybody may read', async () => {
  const world = { ...localWorld(), env: { HOME: '/home/a', XDG_RUNTIME_DIR: '/run/user/1000' } };
  const { container } = options;
  if (!container) throw new Error('it is in no container');
  const file = { given: '/srv/t.jinja', sha256: 'aa', bytes: 1 };
  const scope = userScope(world);
  expect(await readerOfSecrets(world, scope, { mark: markOf({ file }), container })).toBeNull();
  await expect(
    readerOfSecrets(world, scope, { mark: markOf({ file, key: { env: 'KEY' } }), container }),
  ).rejects.toThrow('gives users other numbers');
});

test('a podman that fails over an image is not taken for one that does not have it', async () => {
  const stderr = 'Error: configure storage: open storage.conf: permission denied\n';
  const exec = {
    ...localWorld().exec,
    run: () => Promise.resolve({ code: 125, signal: null, stdout: '', stderr }),
  };
  const world = { ...localWorld(), env: { HOME: '/home/a', XDG_RUNTIME_DIR: '/run/user/1000' }, exec };
  const { container } = SystemdOptions.parse({ kind: 'systemd', container: { pull: 'never' } });
  if (!container) throw new Error('it is in no container');
  const wish = { mark: markOf({}), container, onProgress: () => {} };
  await expect(ensureImage(world, userScope(world), wish)).rejects.toMatchObject({
    code: 'IMAGE_MISSING',
    message: expect.stringContaining('podman fails over it: Error: configure storage') as string,
    cure: expect.stringContaining('target.container.image') as string,
  });
});

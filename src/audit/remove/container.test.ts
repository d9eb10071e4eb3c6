import { expect, test } from 'vitest';
import { bodyOf } from './container.ts';

const inspected = {
  Id: 'c0ffee'.repeat(8),
  Name: '/kimi',
  State: { Running: true },
  Config: { Image: 'llama:1', Cmd: ['--port', '8080'] },
  HostConfig: { Binds: ['named:/kept:rw,rprivate'], Ulimits: [{ Name: 'RLIMIT_NPROC', Soft: 1, Hard: 2 }] },
  Mounts: [
    { Type: 'volume', Name: 'named', Destination: '/kept', RW: true },
    { Type: 'volume', Name: 'a1b2', Destination: '/anonymous', RW: false },
  ],
  NetworkSettings: { Networks: { podman: { Aliases: ['c0ffeec0ffee', 'chat'], IPAMConfig: null } } },
};

test('a container that podman told of is made again with its volumes, limits and names in its network', () => {
  expect(bodyOf(inspected)).toEqual({
    Image: 'llama:1',
    Cmd: ['--port', '8080'],
    HostConfig: {
      Binds: ['named:/kept:rw,rprivate', 'a1b2:/anonymous:ro'],
      Ulimits: [{ Name: 'nproc', Soft: 1, Hard: 2 }],
    },
    NetworkingConfig: { EndpointsConfig: { podman: { Aliases: ['chat'], IPAMConfig: null } } },
  });
});

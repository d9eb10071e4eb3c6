import { expect, test } from 'vitest';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { foreignOf } from '../../targets/docker/foreign.ts';
import { asContainer } from './container-entry.ts';

const argv = ['/app/llama-server', '-m', '/models/kimi.gguf', '--port', '8080'];

const server = {
  engine: 'llama.cpp',
  model: '/models/kimi.gguf',
  command: argv,
  wantedPort: 8080,
  endpoints: [
    { address: '0.0.0.0', port: 8080, netns: '7', here: false },
    { address: '0.0.0.0', port: 9000, netns: '1', here: true },
  ],
} as unknown as ScannedServer;

const inspected = {
  Id: 'c'.repeat(64),
  Name: '/kimi',
  State: {},
  Config: {
    Image: 'ghcr.io/ggml-org/llama.cpp:server',
    Entrypoint: ['/app/llama-server'] as string[] | null,
    Cmd: argv.slice(1),
    Env: ['PATH=/bin', 'A=1', 'B=2'],
    Labels: {} as Record<string, string>,
    User: '1000',
  },
  HostConfig: {
    NetworkMode: 'default',
    RestartPolicy: { Name: 'always' },
    Memory: 1024,
    ShmSize: 67_108_864,
    Devices: [],
  } as Record<string, unknown>,
  Mounts: [
    { Type: 'bind', Source: '/srv/m', Destination: '/models', RW: false },
    {
      Type: 'volume',
      Name: 'cache',
      Source: '/var/lib/docker/volumes/cache',
      Destination: '/cache',
      RW: true,
    },
  ],
  NetworkSettings: { Ports: { '8080/tcp': [{ HostIp: '0.0.0.0', HostPort: '9000' }], '1/tcp': null } },
};
type Change = { [Key in keyof typeof inspected]?: Partial<(typeof inspected)[Key]> };

function made(
  change: Change = {},
  { options = {}, of = server }: { options?: Record<string, unknown>; of?: ScannedServer } = {},
): ReturnType<typeof asContainer> {
  const whole = {
    ...inspected,
    ...change,
    Config: { ...inspected.Config, ...change.Config },
    HostConfig: { ...inspected.HostConfig, ...change.HostConfig },
  } as Parameters<typeof foreignOf>[0];
  return asContainer(of, foreignOf(whole, { where: 'unix:///d.sock', imageEnv: ['B=2'] }), options);
}

test('a container is told as a target with all that another like it needs', () => {
  const { outside, ...told } = made() as Exclude<ReturnType<typeof made>, { because: string }>;
  expect(told).toEqual({
    target: {
      kind: 'docker',
      image: 'ghcr.io/ggml-org/llama.cpp:server',
      entrypoint: ['/app/llama-server'],
      network: 'bridge',
      restart: 'unless-stopped',
      user: '1000',
      hostConfig: { Memory: 1024, Binds: ['cache:/cache'] },
    },
    env: { A: '1' },
    address: '127.0.0.1',
    port: 9000,
  });
  expect(outside('/models/kimi.gguf')).toBe('/srv/m/kimi.gguf');
  expect(outside('hf://a/b')).toBe('hf://a/b');
});

test('where all stands in the command, its program is what is run', () => {
  const change = { Config: { Entrypoint: null, Cmd: ['nice', '-n', '5', ...argv] } };
  expect(made(change)).toMatchObject({ target: { entrypoint: ['nice', '-n', '5', '/app/llama-server'] } });
});

test.each<[string, Change, string]>([
  ['a unit', { Config: { Labels: { PODMAN_SYSTEMD_UNIT: 'kimi.service' } } }, 'kept by unit kimi.service'],
  ['its port', { NetworkSettings: { Ports: {} } } as Change, 'its port is not one of this machine'],
  ['its network', { HostConfig: { NetworkMode: 'chat_default' } }, 'a network of its own (chat_default)'],
  ['a script', { Config: { Entrypoint: ['/run.sh'], Cmd: [] } }, 'starts it by a program of its own'],
  ['a shell', { Config: { Entrypoint: ['sh', '-c'], Cmd: [argv.join(' ')] } }, 'by a program of its own'],
  ['a secret', { Config: { Env: ['HF_TOKEN=x'] } }, 'holds a secret (HF_TOKEN)'],
  ['no mount', { Mounts: [] }, '/models/kimi.gguf lies in its container alone'],
])('one that a fleet file cannot tell is left, for %s', (_, change, because) => {
  expect(made(change)).toMatchObject({ because: expect.stringContaining(because) });
});

test('a further file that lies elsewhere on the machine is told', () => {
  const options = { args: ['--lora', '/models/l.gguf'] };
  expect(made({}, { options })).toMatchObject({
    because: '/models/l.gguf lies elsewhere outside of its container',
  });
});

test('on the network of the machine its own port is the one', () => {
  const of: ScannedServer = {
    ...server,
    endpoints: [{ address: '127.0.0.1', port: 8080, netns: '1', here: true }],
  };
  const host = { HostConfig: { NetworkMode: 'host' } };
  expect(made(host, { of })).toMatchObject({ target: { network: 'host' }, port: 8080 });
});

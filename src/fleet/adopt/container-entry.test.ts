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
  { of = server }: { of?: ScannedServer } = {},
): ReturnType<typeof asContainer> {
  const whole = {
    ...inspected,
    ...change,
    Config: { ...inspected.Config, ...change.Config },
    HostConfig: { ...inspected.HostConfig, ...change.HostConfig },
  } as Parameters<typeof foreignOf>[0];
  return asContainer(of, foreignOf(whole, { where: 'unix:///d.sock', imageEnv: ['B=2'] }));
}

type Mount = (typeof inspected.Mounts)[number];

function mountWith(more: Record<string, string>): Mount {
  return { ...inspected.Mounts[0], ...more } as Mount;
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

test('limits that podman tells by the names of the kernel are told by those that it takes', () => {
  const limits = [{ Name: 'RLIMIT_NOFILE', Soft: 4096, Hard: 8192 }];
  expect(made({ HostConfig: { Ulimits: limits } })).toMatchObject({
    target: { hostConfig: { Ulimits: [{ Name: 'nofile', Soft: 4096, Hard: 8192 }] } },
  });
});

test('where all stands in the command, its program is what is run', () => {
  const change = { Config: { Entrypoint: null, Cmd: ['nice', '-n', '5', ...argv] } };
  expect(made(change)).toMatchObject({ target: { entrypoint: ['nice', '-n', '5', '/app/llama-server'] } });
});

test.each([
  [['python3', '-m', 'vllm.entrypoints.openai.api_server']],
  [['/usr/bin/python3', '-mvllm.entrypoints.cli.main', 'serve']],
  [['python3', '/app/vllm/entrypoints/openai/api_server.py']],
])('what Python runs (%s) is no program to start before "serve": that of the image is', (start) => {
  const command = [...start, '--model', '/models/kimi.gguf', '--port', '8080'];
  const of = { ...server, engine: 'vllm', command };
  const found = made({ Config: { Entrypoint: command.slice(0, 1), Cmd: command.slice(1) } }, { of });
  expect(found).toHaveProperty('target.image');
  expect(found).not.toHaveProperty('target.entrypoint');
});

test.each<[string, Change, string]>([
  ['a unit', { Config: { Labels: { PODMAN_SYSTEMD_UNIT: 'kimi.service' } } }, 'kept by unit kimi.service'],
  ['its port', { NetworkSettings: { Ports: {} } } as Change, 'its port is not one of this machine'],
  ['its network', { HostConfig: { NetworkMode: 'chat_default' } }, 'a network of its own (chat_default)'],
  ['a script', { Config: { Entrypoint: ['/run.sh'], Cmd: [] } }, 'starts it by a program of its own'],
  ['a shell', { Config: { Entrypoint: ['sh', '-c'], Cmd: [argv.join(' ')] } }, 'by a program of its own'],
  ['a secret', { Config: { Env: ['HF_TOKEN=x'] } }, 'holds a secret (HF_TOKEN)'],
  ['a key in a variable', { Config: { Env: ['https_proxy=http://me:pass@proxy:1'] } }, '(https_proxy)'],
  ['--rm', { HostConfig: { AutoRemove: true } }, 'runs with --rm'],
  ['its rights', { HostConfig: { Privileged: true } }, 'runs with --privileged'],
  ['its processes', { HostConfig: { PidMode: 'host' } }, 'runs with --pid'],
  ['a setting of the kernel', { HostConfig: { Sysctls: { 'net.core.somaxconn': '9' } } }, '--sysctl'],
  ['memory', { Mounts: [{ Type: 'tmpfs', Destination: '/s' }] } as Change, 'a mount of type tmpfs (/s)'],
  ['a label', { Mounts: [mountWith({ Mode: 'ro,Z' })] }, '/models is labelled'],
  ['sharing', { Mounts: [mountWith({ Propagation: 'rshared' })] }, '(rshared)'],
  [
    'two ports',
    {
      NetworkSettings: {
        Ports: {
          ...inspected.NetworkSettings.Ports,
          '9/tcp': [{ HostIp: '', HostPort: '9' }],
        },
      },
    } as Change,
    'publishes 2 ports',
  ],
  ['no mount', { Mounts: [] }, '/models/kimi.gguf lies in its container alone'],
])('one that a fleet file cannot tell is left, for %s', (_, change, because) => {
  expect(made(change)).toMatchObject({ because: expect.stringContaining(because) });
});

function saying(...more: string[]): ScannedServer {
  return { ...server, command: [...argv, ...more] };
}

function asked(more: readonly string[]): Change {
  return { Config: { Cmd: [...argv.slice(1), ...more] } };
}

test.each([
  [['--lora', '/models/l.gguf'], '/models/l.gguf lies elsewhere'],
  [['--lora-scaled=/models/l.gguf'], '/models/l.gguf lies elsewhere'],
])('a further file that lies elsewhere on the machine is told: %s', (more, because) => {
  expect(made(asked(more), { of: saying(...more) })).toMatchObject({
    because: expect.stringContaining(because),
  });
  const env = { Config: { Env: ['PATH=/bin', 'TEMPLATE=/models/t.jinja'] } };
  expect(made(env)).toMatchObject({ because: expect.stringContaining('/models/t.jinja lies elsewhere') });
});

test('so is one beside the model, where that alone would be mounted', () => {
  const more = ['--chat-template-file', '/models/t.jinja'];
  const Mounts = [{ Type: 'bind', Source: '/models', Destination: '/models', RW: false }];
  const at = { ...asked(more), Mounts: Mounts as typeof inspected.Mounts };
  expect(made(at, { of: saying(...more) })).toMatchObject({
    because: '/models/t.jinja lies beside its model, which alone would be mounted',
  });
  expect(made({ Mounts })).toHaveProperty('target');
});

test('on the network of the machine its own port is the one', () => {
  const of: ScannedServer = {
    ...server,
    endpoints: [{ address: '127.0.0.1', port: 8080, netns: '1', here: true }],
  };
  const host = { HostConfig: { NetworkMode: 'host' } };
  expect(made(host, { of })).toMatchObject({ target: { network: 'host' }, port: 8080 });
});

import { expect, test } from 'vitest';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { dockerTarget } from '../targets/docker.ts';
import { expectNotKept } from '../targets/docker/kept-by-unit.ts';
import { DockerOptions } from './options.ts';
import type { Inspected } from '../targets/docker/answers.ts';
import { driftOf } from '../targets/docker/read-back.ts';
import { renderContainer } from './render.ts';
import type { ContainerBody } from './render.ts';
import { otherLines } from '../targets/docker/rerender.ts';
import { withWritten, writtenOf } from '../targets/docker/written.ts';

const spec: LaunchSpec = {
  engine: 'vllm',
  program: {
    binary: 'vllm',
    images: { cpu: 'e/cpu:1', cuda: 'e/cuda:1', rocm: 'e/rocm:1', vulkan: 'e/vulkan:1' },
    imageCommand: ['vllm'],
  },
  args: [
    'serve',
    { hole: 'model' },
    '--host',
    { hole: 'host' },
    { parts: ['--port=', { hole: 'port' }] },
    '--config',
    { hole: 'secret', name: 'key' },
    { hole: 'file', path: '/m/lora' },
  ],
  env: { HF_TOKEN_PATH: { hole: 'secret', name: 'hub' } },
  secrets: { key: { env: 'KEY' }, hub: { env: 'HUB' } },
  model: '/m/big-00001-of-00003.gguf',
  mmproj: '/m/mm.gguf',
  writable: [],
  caches: { hub: { env: 'HF_HOME' } },
  sharedMemory: 8 * 1024 ** 3,
  devices: { vendor: 'nvidia', count: 2 },
  readiness: { path: '/health', startTimeoutMs: 60_000 },
  metricsPath: null,
  stop: { signal: 'SIGINT', graceMs: 1000 },
  slots: null,
  servedModel: null,
};

const facts = { podman: false, stateDir: '/state', gpuGroups: ['44', '109'] };

function rendered(
  given: Record<string, unknown> = {},
  change: Partial<LaunchSpec> = {},
  podman = false,
): ContainerBody {
  const options = DockerOptions.parse({ kind: 'docker', ...given });
  return renderContainer(markOf(options, { ...spec, ...change }), options, { ...facts, podman });
}

function markOf(options: DockerOptions, of: LaunchSpec): Mark {
  return {
    fleet: 'lab',
    fleetId: 'x',
    deployment: 'd',
    replica: 0,
    target: options,
    address: '127.0.0.1',
    port: 18400,
    logFile: '/state/logs/d.log',
    declared: {},
    spec: of,
  };
}

test('holes are places in the container, and the port is published on the address of the host alone', () => {
  const body = rendered();
  expect([...body.Entrypoint, ...body.Cmd].join(' ')).toBe(
    'vllm serve /models/big-00001-of-00003.gguf --host 0.0.0.0 --port=18400 --config /run/secrets/key /m/lora',
  );
  expect(body.HostConfig).toMatchObject({
    PortBindings: { '18400/tcp': [{ HostIp: '127.0.0.1', HostPort: '18400' }] },
    ShmSize: 8 * 1024 ** 3,
    RestartPolicy: { Name: 'unless-stopped' },
  });
  expect(body.StopSignal).toBe('SIGINT');
  expect(rendered({ network: 'host' }).Cmd).toContain('127.0.0.1');
});

test('podman, which labels its containers where a host has SELinux, is told not to: models and GPUs have other labels', () => {
  const [docker, podman] = [false, true].map((one) => rendered({}, {}, one).HostConfig['SecurityOpt']);
  expect(docker).toEqual(['no-new-privileges']);
  expect(podman).toEqual(['no-new-privileges', 'label=disable']);
});

test('podman, which knows no other at boot, is told that a container restarts always', () => {
  function policy(given: Record<string, unknown>): unknown {
    return rendered(given, {}, true).HostConfig['RestartPolicy'];
  }
  expect(policy({})).toEqual({ Name: 'always' });
  expect(policy({ restart: 'on-failure' })).toEqual({ Name: 'on-failure' });
});

test('secrets are files, caches are volumes, and a model in several files brings its folder', () => {
  const body = rendered();
  expect(body.Env).toEqual(['HF_HOME=/var/cache/berth/hub', 'HF_TOKEN_PATH=/run/secrets/hub']);
  const mounts = body.HostConfig['Mounts'] as {
    Type: string;
    Source: string;
    Target: string;
    ReadOnly: boolean;
  }[];
  expect(mounts.map(({ Type, Source, Target }) => `${Type} ${Source} ${Target}`)).toEqual([
    'bind /m /models',
    'bind /m/mm.gguf /models/mm.gguf',
    'bind /m/lora /m/lora',
    'bind /state/secrets/d-0-key /run/secrets/key',
    'bind /state/secrets/d-0-hub /run/secrets/hub',
    'volume berth-lab-hub /var/cache/berth/hub',
  ]);
  expect(mounts.filter((one) => !one.ReadOnly).map((one) => one.Type)).toEqual(['volume']);
});

test('each vendor of GPUs is asked for in its own way', () => {
  const nvidia = { Driver: 'nvidia', Capabilities: [['gpu']] };
  expect(rendered().Image).toBe('e/cuda:1');
  expect(rendered().HostConfig['DeviceRequests']).toEqual([{ ...nvidia, Count: 2 }]);
  expect(rendered({ gpuIds: ['GPU-1'] }).HostConfig['DeviceRequests']).toEqual([
    { ...nvidia, DeviceIDs: ['GPU-1'] },
  ]);
  const named = rendered({}, {}, true).HostConfig['Devices'] as { PathOnHost: string }[];
  expect(named.map((one) => one.PathOnHost)).toEqual(['nvidia.com/gpu=0', 'nvidia.com/gpu=1']);
  const amd = rendered({}, { devices: { vendor: 'amd', count: 1 } });
  expect(amd.Image).toBe('e/rocm:1');
  expect(amd.HostConfig).toMatchObject({
    Devices: [{ PathOnHost: '/dev/kfd' }, { PathOnHost: '/dev/dri' }],
    GroupAdd: ['44', '109'],
  });
  expect(amd.Env).not.toContainEqual(expect.stringContaining('ROCR'));
  const none = rendered({}, { devices: { vendor: 'none', count: 0 } });
  expect(none.Image).toBe('e/cpu:1');
  expect(JSON.stringify(none.HostConfig)).not.toMatch(/Device/);
});

test('chosen GPUs are named, each vendor in its own way, before those that the file names', () => {
  const chosen = { vendor: 'nvidia' as const, ids: ['GPU-b'] };
  const devices = { vendor: 'nvidia' as const, count: 1, chosen };
  expect(rendered({ gpuIds: ['GPU-a', 'GPU-b'] }, { devices }).HostConfig['DeviceRequests']).toEqual([
    { Driver: 'nvidia', Capabilities: [['gpu']], DeviceIDs: ['GPU-b'] },
  ]);
  expect(rendered({}, { devices }, true).HostConfig['Devices']).toMatchObject([
    { PathOnHost: 'nvidia.com/gpu=GPU-b' },
  ]);
  const amd = { vendor: 'amd' as const, count: 1, chosen: { vendor: 'amd' as const, ids: ['GPU-4f2e'] } };
  expect(rendered({}, { devices: amd }).Env).toContain('ROCR_VISIBLE_DEVICES=GPU-4f2e');
});

test("the images' own health check is replaced, and hostConfig lies over what berth writes", () => {
  expect(rendered().Healthcheck['Test']).toContain('http://127.0.0.1:18400/health');
  expect(rendered({ image: 'mine' }).Healthcheck).toEqual({ Test: ['NONE'] });
  expect(rendered({ hostConfig: { RestartPolicy: { Name: 'no' }, Init: true } }).HostConfig).toMatchObject({
    RestartPolicy: { Name: 'no' },
    Init: true,
  });
});

test('an engine that holds its model in memory may lock all of it, but where the user says otherwise or the daemon can raise no limit', () => {
  const locks = { lockedMemory: true } as const;
  const ours = { Name: 'memlock', Soft: -1, Hard: -1 };
  expect(rendered().HostConfig).not.toHaveProperty('Ulimits');
  expect(rendered({}, locks).HostConfig['Ulimits']).toEqual([ours]);
  const files = { Name: 'nofile', Soft: 1024, Hard: 4096 };
  expect(rendered({ hostConfig: { Ulimits: [files] } }, locks).HostConfig['Ulimits']).toEqual([files, ours]);
  const less = { Name: 'memlock', Soft: 1, Hard: 2 };
  expect(rendered({ hostConfig: { Ulimits: [less] } }, locks).HostConfig['Ulimits']).toEqual([less]);
  const options = DockerOptions.parse({ kind: 'docker' });
  const mark = markOf(options, { ...spec, ...locks });
  expect(renderContainer(mark, options, { ...facts, fixedLimits: true }).HostConfig).not.toHaveProperty(
    'Ulimits',
  );
});

test('a container tells what was written of it, so that another version is told apart from what somebody changed', () => {
  const options = DockerOptions.parse({ kind: 'docker' });
  const body = rendered({});
  function live(written: ContainerBody): Inspected {
    return {
      Id: 'a',
      Name: '/x',
      State: {},
      Config: { Image: body.Image, Cmd: [...body.Cmd], Labels: withWritten(written, facts).Labels },
      HostConfig: { ...written.HostConfig },
    };
  }
  const mark = markOf(options, spec);
  expect(otherLines(mark, live(body))).toEqual([]);
  const older = { ...body, HostConfig: { ...body.HostConfig, Init: true, ShmSize: 1 } };
  expect(otherLines(mark, live(older))).toEqual([
    'container x: - HostConfig.ShmSize: 1',
    `container x: + HostConfig.ShmSize: ${8 * 1024 ** 3}`,
    'container x: - HostConfig.Init: true',
  ]);
  const written = writtenOf(live(older));
  expect(written?.facts).toEqual(facts);
  expect(written && driftOf(written.body, live(older))).toEqual([]);
  const silent = live(body);
  expect(otherLines(mark, { ...silent, Config: { ...silent.Config, Labels: {} } })).toEqual([]);
});

test('what cannot be run in a container is refused with what is missing', () => {
  const options = DockerOptions.parse({ kind: 'docker' });
  const bare = { ...spec, program: { entry: 'embedded' as const } };
  expect(dockerTarget.refuses(bare, options)).toContain('target.image names none');
  expect(dockerTarget.refuses(bare, { ...options, image: 'i' })).toContain('target.entrypoint');
  expect(dockerTarget.refuses(bare, { ...options, image: 'i', entrypoint: ['node'] })).toBeNull();
});

test('a container is given what it asks for, and held to its limits', () => {
  const GiB = 1024 ** 3;
  const resources = { requests: { cpu: 0.5, memory: 2 * GiB }, limits: { cpu: 1.5, memory: 4 * GiB } };
  expect(rendered({}, { resources }).HostConfig).toMatchObject({
    MemoryReservation: 2 * GiB,
    Memory: 4 * GiB,
    MemorySwap: 4 * GiB,
    CpuShares: 512,
    NanoCpus: 1_500_000_000,
  });
});

test("what a daemon gives back as it was given is no drift, in podman's words neither", () => {
  const marked = rendered({}, { resources: { requests: {}, limits: { memory: 2 * 1024 ** 3 } } });
  const live = {
    Id: 'a',
    Name: '/x',
    State: {},
    Config: { Image: 'docker.io/e/cuda:1', Cmd: [...marked.Cmd] },
    HostConfig: { ...marked.HostConfig, NanoCpus: 0 },
  };
  expect(driftOf(marked, live)).toEqual([]);
  const changed = { ...live, HostConfig: { ...live.HostConfig, Memory: 1024 } };
  expect(driftOf(marked, changed)).toEqual([
    { field: 'memory', marked: String(2 * 1024 ** 3), live: '1024' },
  ]);
});

test('a container that a unit of systemd keeps is started again by that, and not ended', () => {
  const marked = rendered({}, {}, true);
  const Config = { Image: marked.Image, Cmd: [...marked.Cmd], Labels: { PODMAN_SYSTEMD_UNIT: 'x.service' } };
  const HostConfig = { ...marked.HostConfig, RestartPolicy: { Name: 'no' } };
  const live = { Id: 'a', Name: '/x', State: {}, Config, HostConfig };
  expect(driftOf(marked, live)).toEqual([]);
  expect(() => expectNotKept(live)).toThrow('x is kept by the unit x.service of systemd');
  // podman-compose names a unit whether it is there or not.
  for (const Labels of [{}, { PODMAN_SYSTEMD_UNIT: 'podman-compose@lab.service' }])
    expect(() => expectNotKept({ ...live, Config: { ...Config, Labels } })).not.toThrow();
});

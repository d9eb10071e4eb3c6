import { Observation } from '../../src/domain/audit/observation.ts';
import type { ObservedHost } from '../../src/domain/audit/observation.ts';
import type { ScannedServer } from '../../src/domain/scan-report.ts';
import { healthyCluster } from './healthy-cluster.ts';

const GiB = 1024 ** 3;
const at = '2026-11-28T09:00:00.000Z';
const bootId = '11111111-2222-3333-4444-555555555555';

/** A machine and a cluster on which everything is as it should be: each rule is tried on it with one thing changed. */
export function healthyObservation(): Observation {
  return Observation.parse({
    version: 1,
    at,
    hosts: [healthyHost()],
    clusters: [healthyCluster()],
    fleet: {
      name: 'lab',
      file: '/srv/berth.yaml',
      deployments: [
        deployment('kimi', '/srv/models/kimi.gguf', 'llama.cpp', { slots: 4, context: 4096 }),
        deployment('mistral', '/srv/models/mistral.gguf', 'llama.cpp', { slots: 2, context: 8192 }),
        deployment('qwen', 'Qwen/Qwen3-32B', 'vllm', { context: 16_384, tensorParallel: 2 }),
      ],
      instances: ['kimi', 'mistral', 'qwen'].map((name) => ({
        deployment: name,
        replica: 0,
        object: `object of ${name}`,
        alive: true,
        trouble: null,
      })),
      drift: [],
      measured: [
        {
          deployment: 'kimi',
          run: '20261101-090000-kimi',
          stage: '4 streams',
          slots: 4,
          ttftMs: 200,
          tpotMs: 20,
          outputTokens: 100,
        },
      ],
      prices: { local: { hour: 2, diskMonth: 0.1 } },
      gateway: {
        listen: ['127.0.0.1:8484'],
        tls: false,
        routes: ['kimi', 'mistral', 'qwen'].map((name) => ({ name, to: [name] })),
      },
      reserved: { local: [8082] },
      unreachable: [],
    },
    figures: [
      {
        file: 'figures.yaml',
        name: 'two-streams',
        source: 'a report',
        verdict: 'holds',
        arithmetic: ['167 tokens / 27.09 s = 6.16 tok/s'],
        conclusion: 'The efficiency is 67 %.',
      },
    ],
  });
}

type Fleet = NonNullable<Observation['fleet']>;

function deployment(
  name: string,
  model: string,
  engine: string,
  options: Record<string, unknown>,
): Fleet['deployments'][number] {
  return {
    name,
    host: 'local',
    engine,
    model,
    replicas: 1,
    onDemand: false,
    external: false,
    gpus: engine === 'vllm' ? 2 : 0,
    options,
    rps: name === 'kimi' ? 1 : null,
    target: 'systemd',
    port: null,
  };
}

function llama(name: string, port: number, options: Record<string, unknown>): ScannedServer {
  const model = `/srv/models/${name}.gguf`;
  return {
    engine: 'llama.cpp',
    title: 'llama.cpp (llama-server)',
    model,
    modelId: `1:${port}`,
    modelBytes: 5 * GiB,
    process: { bootId, pid: port, startTicks: 100 },
    command: ['llama-server', '-m', model, '--port', String(port)],
    owner: { kind: 'berth', name: `lab/${name}`, user: 'root' },
    mark: { fleet: 'lab', deployment: name, replica: 0 },
    wantedPort: port,
    netns: '4026531840',
    endpoints: [{ address: '127.0.0.1', port, netns: '4026531840', here: true }],
    state: 'answers',
    evidence: [`GET http://127.0.0.1:${port}/health: 200`],
    served: [name],
    version: 'b6000-abcdef',
    rssBytes: 6 * GiB,
    rssFileBytes: 5 * GiB,
    gpuBytes: null,
    gpus: [],
    quotaCores: 8,
    memoryLimitBytes: 16 * GiB,
    memoryKills: 0,
    told: { slots: null, context: null, tokens: 123_456 },
    ignored: [],
    openSecrets: [],
    startedAt: '2026-11-01T09:00:00.000Z',
    options: { cacheRam: 1024, threads: 4, args: [], ...options },
    keyed: false,
    exposes: [],
    children: [],
  };
}

/** A server of vLLM over two GPUs, in a container. */
function qwen(): ScannedServer {
  const { options: _, ...base } = llama('qwen', 8000, {});
  return {
    ...base,
    engine: 'vllm',
    title: 'vLLM',
    model: 'Qwen/Qwen3-32B',
    modelId: 'Qwen/Qwen3-32B',
    modelBytes: null,
    command: ['vllm', 'serve', 'Qwen/Qwen3-32B', '--tensor-parallel-size', '2'],
    wantedPort: null,
    version: '0.11.2',
    gpuBytes: 40 * GiB,
    gpus: [
      { index: 1, memoryBytes: 20 * GiB },
      { index: 2, memoryBytes: 20 * GiB },
    ],
    told: { slots: null, context: 16_384, tokens: 9000 },
    options: { tensorParallel: 2, context: 16_384, args: [] },
  };
}

function gpu(index: number, holder: number): ObservedHost['hardware']['gpus'][number] {
  return {
    vendor: 'nvidia',
    index,
    uuid: `GPU-${index}`,
    name: 'NVIDIA L4',
    memoryBytes: 24 * GiB,
    memoryUsedBytes: 20 * GiB,
    driver: '580.1',
    computeCapability: '8.9',
    mig: false,
    utilizationPercent: 30,
    processes: [{ pid: holder, name: 'engine', memoryBytes: 20 * GiB }],
  };
}

function healthyHost(): ObservedHost {
  const kimi = {
    ...llama('kimi', 18_400, { slots: 4, context: 4096, gpuLayers: 'all' }),
    owner: { kind: 'system-unit' as const, name: 'llamacpp-kimi.service', user: 'root' },
    told: { slots: 4, context: 4096, tokens: 5 },
    keyed: true,
    gpuBytes: 20 * GiB,
    gpus: [{ index: 0, memoryBytes: 20 * GiB }],
  };
  const mistral = llama('mistral', 18_401, { slots: 2, context: 8192, gpuLayers: 0 });
  const starts = {
    engine: 'llama.cpp',
    model: kimi.model,
    host: '127.0.0.1',
    port: 18_400,
    options: { ...kimi.options },
    keyed: false,
    exposes: [],
    command: [...kimi.command],
  };
  return {
    host: 'local',
    servers: [kimi, mistral, qwen()],
    hardware: {
      cpu: { model: 'Example CPU', physicalCores: 32, logicalCores: 64, quotaCores: null, features: [] },
      memory: { totalBytes: 128 * GiB, availableBytes: 64 * GiB, limitBytes: null },
      gpus: [
        gpu(0, 18_400),
        gpu(1, 8000),
        gpu(2, 8000),
        // For the screen: too small for a model.
        { ...gpu(3, 0), memoryBytes: 2 * GiB, memoryUsedBytes: 0, processes: [] },
      ],
      notes: [],
    },
    gpuDevices: [],
    listeners: [kimi, mistral].map((server) => ({
      address: '127.0.0.1',
      port: server.wantedPort ?? 0,
      netns: '4026531840',
      here: true,
      uid: 0,
      pid: server.process.pid,
      program: 'llama-server',
    })),
    units: [
      unit('llamacpp-kimi.service', { starts, marked: true }),
      // Started by a timer at night.
      unit('night.service', {
        active: 'inactive',
        starts: {
          ...starts,
          host: 'localhost',
          port: 18_402,
          model: '/srv/models/night.gguf',
          command: [...starts.command],
        },
      }),
    ],
    containers: [
      container('mistral', 'ghcr.io/ggml-org/llama.cpp:server-b6000', {
        starts: { ...starts, port: 8080, model: mistral.model, options: { ...mistral.options } },
        healthCheck: ['CMD', 'curl', '-f', 'http://localhost:8080/health'],
        published: [{ address: '127.0.0.1', port: 18_403, to: 8080 }],
      }),
      container('qwen', 'vllm/vllm-openai:v0.11.2', {
        starts: {
          ...starts,
          engine: 'vllm',
          port: null,
          model: 'Qwen/Qwen3-32B',
          options: { tensorParallel: 2 },
          keyed: true,
        },
        shmBytes: 8 * GiB,
        published: [{ address: '0.0.0.0', port: 8000, to: 8000 }],
      }),
      // Started by hand for a batch.
      container('batch', 'ghcr.io/ggml-org/llama.cpp:server-b6000', {
        starts: {
          ...starts,
          port: 8080,
          model: mistral.model,
          options: { ...mistral.options },
          command: [...starts.command],
        },
        state: 'exited',
        exitCode: 0,
        restartPolicy: 'no',
        published: [{ address: '127.0.0.1', port: 18_403, to: 8080 }],
      }),
    ],
    modelFiles: [
      { path: '/srv/models/kimi.gguf', id: '1:18400', bytes: 5 * GiB },
      { path: '/srv/models/mistral.gguf', id: '1:18401', bytes: 5 * GiB },
    ],
  };
}

type Unit = ObservedHost['units'][number];
type Container = ObservedHost['containers'][number];

function unit(name: string, more: Partial<Unit> & Pick<Unit, 'starts'>): Unit {
  return {
    name,
    scope: 'system',
    path: `/etc/systemd/system/${name}`,
    dropIns: [],
    madeBy: null,
    active: 'active',
    result: 'success',
    enabled: true,
    needsReload: false,
    restarts: 0,
    marked: false,
    network: null,
    conflicts: [],
    inherits: false,
    container: null,
    secretVariables: [],
    openSecrets: [],
    ignored: [],
    ...more,
  };
}

function container(
  name: string,
  image: string,
  more: Partial<Container> & Pick<Container, 'starts'>,
): Container {
  return {
    id: 'c0ffee'.padEnd(64, '0'),
    name,
    tool: 'docker',
    image,
    state: 'running',
    exitCode: null,
    hasGpu: null,
    ignored: [],
    error: null,
    outOfMemory: false,
    restarts: 0,
    restartPolicy: 'unless-stopped',
    health: null,
    healthCheck: null,
    privileged: false,
    shares: [],
    published: [],
    shmBytes: 64 * 1024 ** 2,
    cpuLimit: null,
    memoryLimit: null,
    secretVariables: [],
    managedBy: null,
    marked: true,
    ...more,
  };
}

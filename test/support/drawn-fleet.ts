import { drawFrom } from '../contract/draw.ts';
import type { Draw } from '../contract/draw.ts';
import { madeUpOptions } from '../contract/engine-options.ts';

type Keys = Record<string, unknown>;

export const clusterTargets = ['kubernetes', 'kserve'] as const;
type ClusterTarget = (typeof clusterTargets)[number];

/** Deployments of a cluster with keys of all kinds, the same for the same seed; each is one that a fleet file may have. */
export function drawnFleet(seed: number, count: number): Keys {
  const draw = drawFrom(seed);
  const deployments = Array.from({ length: count }, (_, at) => {
    const name = draw.one([`d${at}`, `qwen2.5-${at}b`, `m_${at}`, `${at}b-x`, `x${at}-${'y'.repeat(50)}`]);
    return [name, deployment(draw, draw.one(clusterTargets), at)] as const;
  });
  return {
    version: 1,
    fleet: draw.one(['lab', 'private-ai.demo_1', 'f'.repeat(63)]),
    id: 'k3x9q2',
    hosts: { c: { kubernetes: { context: 'box', namespace: 'shapes', createNamespace: namespace } } },
    secrets: {
      hf: '${env:HF_TOKEN}',
      ref: { secretRef: { name: 'hub-secret', key: 'HF.TOKEN' } },
      s3: '${env:S3_KEYS}',
      s3ref: { secretRef: { name: 'minio' } },
    },
    models,
    deployments: Object.fromEntries(deployments),
    gateway: {
      host: 'c',
      image: 'registry.lab/berth:1',
      keys: { laptop: '${env:LAPTOP}', other: { secretRef: { name: 'k', key: 'a' } } },
      limits: { shared: 'redis://redis:6379' },
    },
  };
}

const namespace = {
  labels: { team: 'x' },
  quota: { 'requests.nvidia.com/gpu': 64, 'limits.memory': '900Gi' },
  containers: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: 64, memory: '512Gi' } },
};

const sums = { 'a/b.safetensors': 'a'.repeat(64) };

function inClaim(pvc: string, path: string, fetch: Keys = {}): Keys {
  return { at: { c: { pvc, path, ...(Object.keys(fetch).length === 0 ? {} : { fetch }) } } };
}

const models = {
  file: { source: '/srv/models/a.gguf' },
  split: { source: '/srv/models/a-00001-of-00003.gguf' },
  vision: { source: '/srv/models/a.gguf', mmproj: '/srv/models/mm.gguf' },
  folder: { source: '/srv/models/Mistral-7B' },
  hub: { source: 'hf://Qwen/Qwen3-0.6B' },
  keyed: { source: 'hf://Qwen/Qwen3-0.6B', secret: 'hf' },
  referred: { source: 'hf://Qwen/Qwen3-0.6B', secret: 'ref' },
  pinned: { source: 'hf://Qwen/Qwen3-0.6B@main' },
  claimed: { source: 'hf://o/r:Q5_K_M', ...inClaim('weights', 'q/a.gguf') },
  placed: {
    source: 'hf://o/r:Q5_K_M',
    at: { c: { hostPath: '/srv/m', node: 'node1.lab', path: 'a.gguf' } },
  },
  fetched: {
    source: 'hf://Qwen/Qwen3-0.6B',
    ...inClaim('w1', 'qwen', {
      size: '20Gi',
      access: 'ReadWriteMany',
      image: 'e/fetch:1',
      entrypoint: ['/bin/x'],
      secret: 'hub',
      sums,
    }),
  },
  pulled: {
    source: 'hf://o/r:Q5_K_M',
    mmproj: 'hf://o/r/mmproj-F16.gguf',
    ...inClaim('w.2', 'q/a.gguf', {
      size: '20Gi',
      storageClass: 'fast',
      ca: { configMap: 'ca' },
      env: { HF_ENDPOINT: 'http://x' },
    }),
  },
  bucket: { source: 's3://models/mistral-24b' },
  'keyed-bucket': { source: 's3://models/mistral-24b', secret: 's3' },
  'referred-bucket': { source: 's3://models/mistral-24b', secret: 's3ref' },
  image: { source: 'oci://registry.lab/models/m:1' },
  web: { source: 'https://lab/m.gguf' },
} as const;

/** Some of these keys. */
function some(all: Keys, draw: Draw, share: number): Keys {
  return Object.fromEntries(Object.entries(all).filter(() => draw.chance() < share));
}

function deployment(draw: Draw, kind: ClusterTarget, at: number): Keys {
  const target = targets[kind](draw, at);
  const engine = engineOf(draw);
  const amounts = draw.one([
    {},
    { requests: { cpu: 0.5, memory: '6Gi' }, limits: { cpu: 4, memory: '12GB' } },
    { requests: { cpu: '250m', memory: '7MB' } },
    { limits: { memory: '1.5Gi', cpu: 1.25 } },
  ]);
  return {
    model: target.model,
    host: 'c',
    engine,
    gpus: draw.one([0, 0, 1, 4]),
    replicas: draw.one([1, 1, 2]),
    resources: amounts,
    ownKey: draw.chance() < 0.3,
    ...(draw.chance() < 0.5 ? { port: draw.one([80, 8081, 65_535]) } : {}),
    target: target.options,
  };
}

function engineOf(draw: Draw): Keys {
  const kind = draw.one(['llama.cpp', 'vllm'] as const);
  const options = some(madeUpOptions[kind]?.make(draw) ?? {}, draw, 0.3);
  // What wants more GPUs than there are is refused.
  for (const key of ['binary', 'tensorParallel', 'pipelineParallel', 'dataParallel']) delete options[key];
  return {
    kind,
    ...options,
    accelerator: draw.one(['cpu', 'cuda', 'rocm', kind === 'vllm' ? 'cuda' : 'vulkan']),
    env: draw.one([{}, { WHO: 'a $(X) $$ b', A_B: '' }, { T: { secret: 'ref' }, U: { secret: 'hf' } }]),
    startTimeout: draw.one(['5s', '3h', '1d']),
  };
}

function podKeys(draw: Draw): Keys {
  const all = {
    image: draw.one(['e/own:2', `registry.lab:5000/a/b@sha256:${'a'.repeat(64)}`]),
    entrypoint: ['python', '-m', '$(X)', 'a b'],
    nodeSelector: { 'node.kubernetes.io/instance-type': 'g6.4xlarge', zone: 'a' },
    tolerations: draw.one([
      [{ operator: 'Exists' }],
      [{ key: 'llm', operator: 'Equal', value: 'yes', effect: 'NoExecute', tolerationSeconds: 30 }],
      [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
    ]),
    shm: draw.one(['8Gi', '1GB', '0.5Gi']),
    serviceAccount: 'engine',
    pullSecrets: ['registry', 'other'],
  };
  return {
    gpuResource: draw.one(['nvidia.com/gpu', 'nvidia.com/mig-1g.10gb', 'amd.com/gpu', 'gpu.intel.com/xe']),
    ...some(all, draw, 0.3),
  };
}

const targets = { kubernetes, kserve } as const;

function kubernetes(draw: Draw, at: number): { model: keyof typeof models; options: Keys } {
  const own = {
    node: 'node1.lab',
    pull: draw.one(['IfNotPresent', 'Always', 'Never']),
    user: draw.one(['10001', '10001:10002', '0', '2000:0']),
    readOnlyRoot: draw.one([true, false]),
    preStop: draw.one([0, 1, 600]),
    strategy: draw.one(['Recreate', 'RollingUpdate']),
    cache: draw.one([{ size: '50Gi' }, { size: '512Mi', storageClass: 'fast', access: 'ReadWriteMany' }]),
    selector: { app: 'old', tier: `t${at}` },
    service: draw.one([
      { type: 'NodePort' },
      { type: 'LoadBalancer' },
      { name: `svc-${at}` },
      { type: 'ClusterIP', nodePort: 31_000 + at },
    ]),
    patch: draw.one([
      { spec: { minReadySeconds: 5 } },
      { metadata: { annotations: { x: 'y' } } },
      { spec: { template: { spec: { priorityClassName: 'high', runtimeClassName: 'nvidia' } } } },
    ]),
  };
  const model = draw.one([
    'file',
    'split',
    'vision',
    'folder',
    'hub',
    'keyed',
    'referred',
    'claimed',
    'placed',
    'fetched',
    'pulled',
  ] as const);
  const options = { kind: 'kubernetes', ...podKeys(draw), ...some({ ...own, ...ways(draw) }, draw, 0.35) };
  return { model, options };
}

/** What stands beside a Deployment. */
function ways(draw: Draw): Keys {
  return {
    ingress: draw.one([
      { host: 'llm.lab' },
      { class: 'nginx', host: '*.llm.lab', tls: 'llm-cert', annotations: { 'a.b/c': 'x' } },
      {
        class: 'traefik',
        host: 'llm.lab',
        path: '/v1/',
        from: { namespace: { 'kubernetes.io/metadata.name': 'traefik' } },
      },
    ]),
    allowFrom: [{ pods: { app: 'gateway' } }, { namespace: { team: 'web' }, pods: {} }, {}],
    disruptionBudget: draw.one([{ maxUnavailable: '50%' }, { minAvailable: 1 }, { maxUnavailable: 0 }]),
    httpRoute: draw.one([
      { gateway: 'web' },
      { gateway: 'web', gatewayNamespace: 'infra', section: 'https', host: 'llm.lab', path: '/v1' },
      { gateway: 'web', host: '*.lab', timeout: '0s' },
      { gateway: 'web', timeout: '500ms' },
    ]),
    monitor: draw.one([
      {},
      { by: 'pods', interval: '30s' },
      { labels: { release: 'prometheus' }, interval: '1m', from: { namespace: { a: 'b' } } },
    ]),
    autoscale: draw.one([
      { max: 4, metric: 'vllm_num_requests_waiting', average: 2.5 },
      { min: 2, max: 8, metric: 'a', average: 1 },
      { max: 3, prometheus: 'http://prometheus:9090', query: 'sum(a{b="c"})', threshold: 0.5 },
      { max: 3, prometheus: 'https://p', query: 'x', threshold: 8, cooldown: 0, polling: 1 },
    ]),
  };
}

function kserve(draw: Draw, at: number): { model: keyof typeof models; options: Keys } {
  const own = {
    mode: draw.one(['RawDeployment', 'Standard', 'Knative']),
    format: draw.one(['vLLM', 'gguf']),
    dashboard: draw.one([{}, { title: 'Mistral 24B "x"' }]),
    route: draw.one([{}, { timeout: '10m' }, { auth: true, token: true }]),
    patch: draw.one([
      { metadata: { labels: { 'opendatahub.io/genai-asset': 'true' } } },
      { spec: { predictor: { runtimeClassName: 'nvidia', priorityClassName: 'x' } } },
    ]),
  };
  const pod = podKeys(draw);
  const how = draw.one(['made', 'named', 'used', 'connected', 'profile'] as const);
  const options: Keys = { kind: 'kserve', ...pod, ...some(own, draw, 0.35), ...howKeys[how](at) };
  if (how === 'used') for (const key of ['image', 'entrypoint']) delete options[key];
  if (how === 'profile') delete options['nodeSelector'];
  if (how === 'connected') return { model: 'bucket', options };
  const model = draw.one([
    'hub',
    'keyed',
    'referred',
    'pinned',
    'claimed',
    'bucket',
    'keyed-bucket',
    'referred-bucket',
    'image',
    'web',
  ] as const);
  // One pod has one account: that of the keys.
  if (model === 'keyed-bucket') delete options['serviceAccount'];
  return { model, options };
}

const howKeys: Readonly<Record<'made' | 'named' | 'used' | 'connected' | 'profile', (at: number) => Keys>> = {
  made: () => ({}),
  named: (at) => ({ runtime: { create: `rt-${at}` }, node: 'node1.lab' }),
  used: () => ({ runtime: { use: 'vllm-cuda' } }),
  connected: () => ({ connection: { secret: 'minio', path: 'a/b' } }),
  profile: () => ({ dashboard: { hardwareProfile: { name: 'gpu-l4x4' } } }),
};

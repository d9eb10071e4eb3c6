import { expect, test } from 'vitest';
import type { DefinedServer } from '../../domain/audit/observation.ts';
import type { ForeignEngine, ForeignService, ForeignWorkload } from '../../targets/kubernetes/foreign.ts';
import { workloadEntries } from './workload-entry.ts';

const vllm: ForeignEngine = {
  name: 'vllm',
  image: 'vllm/vllm-openai:v0.11.0',
  args: ['--model', '/models/qwen', '--port', '8000'],
  env: [
    { name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 'hub', key: 'token' } } },
    { name: 'VLLM_LOGGING_LEVEL', value: 'INFO' },
  ],
  ports: [{ containerPort: 8000 }],
  resources: {
    requests: { cpu: '500m', memory: '8G' },
    limits: { 'nvidia.com/mig-1g.10gb': '1', memory: '12Gi' },
  },
  volumeMounts: [
    { name: 'models', mountPath: '/models/', subPath: 'llm' },
    { name: 'shm', mountPath: '/dev/shm' },
    { name: 'cache', mountPath: '/root/.cache' },
  ],
};

const volumes = [
  { name: 'models', persistentVolumeClaim: { claimName: 'weights' } },
  { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } },
  { name: 'cache', emptyDir: {} },
];

const server: DefinedServer = {
  engine: 'vllm',
  model: '/models/qwen',
  host: null,
  port: 8000,
  options: { binary: 'vllm', context: 4096 },
  keyed: false,
  exposes: [],
  command: ['vllm', 'serve', '--model', '/models/qwen', '--port', '8000'],
};

type Change = Partial<Omit<ForeignWorkload, 'spec'>> & {
  pod?: Record<string, unknown>;
  container?: Record<string, unknown>;
  spec?: Record<string, unknown>;
};

function workload({ pod, container, spec, ...change }: Change = {}): ForeignWorkload {
  return {
    kind: 'Deployment',
    name: 'qwen',
    uid: 'u-1',
    keeper: null,
    marked: false,
    ...change,
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'qwen' } },
      strategy: { type: 'Recreate' },
      template: {
        metadata: { labels: { app: 'qwen', tier: 'llm' }, annotations: { scrape: 'yes' } },
        spec: { containers: [{ ...vllm, ...container }], volumes, ...pod },
      },
      ...spec,
    },
  };
}

function made(
  one: ForeignWorkload,
  { services = [], found = server }: { services?: ForeignService[]; found?: DefinedServer } = {},
): ReturnType<typeof workloadEntries> {
  return workloadEntries([one], {
    deployments: new Set(['taken']),
    models: new Set(['qwen']),
    services,
    serverOf: ({ name }) => (name === 'sidecar' ? null : found),
  });
}

test('a Deployment becomes an entry that says all that berth would need to make another like it', () => {
  const pod = { priorityClassName: 'high', restartPolicy: 'Always', nodeSelector: { pool: 'gpu' } };
  const services = [{ name: 'qwen', selector: { app: 'qwen' }, ways: [{ port: 80, target: 8000 }] }];
  const { entries, refused } = made(workload({ pod }), { services });
  expect(refused).toEqual([]);
  expect(entries).toEqual([
    {
      name: 'qwen',
      from: 'Deployment qwen',
      pid: null,
      engine: 'vllm',
      because: null,
      model: { name: 'qwen-2', source: 'pvc://weights/llm/qwen' },
      deployment: {
        model: 'qwen-2',
        port: 8000,
        gpus: 1,
        resources: { requests: { cpu: '500m', memory: '7812500Ki' }, limits: { memory: '12Gi' } },
        engine: {
          kind: 'vllm',
          servedModel: '/models/qwen',
          context: 4096,
          env: {
            HF_TOKEN: { secret: { secretRef: { name: 'hub', key: 'token' } } },
            VLLM_LOGGING_LEVEL: 'INFO',
          },
        },
        target: {
          kind: 'kubernetes',
          image: 'vllm/vllm-openai:v0.11.0',
          strategy: 'Recreate',
          nodeSelector: { pool: 'gpu' },
          selector: { app: 'qwen' },
          service: { name: 'qwen-berth' },
          patch: {
            spec: {
              template: {
                metadata: { labels: { tier: 'llm' }, annotations: { scrape: 'yes' } },
                spec: { priorityClassName: 'high' },
              },
            },
          },
          gpuResource: 'nvidia.com/mig-1g.10gb',
          shm: '2Gi',
        },
      },
      mark: {
        target: 'kubernetes',
        foreign: { process: null, unit: null, workload: { name: 'qwen', uid: 'u-1' } },
        address: '127.0.0.1',
      },
    },
  ]);
});

test('GPUs of a maker that an engine is not told by its accelerator alone are named as the cluster counts them', () => {
  const found = { ...server, engine: 'llama.cpp', options: { binary: '/app/llama-server', args: [] } };
  const container = { resources: { limits: { 'gpu.intel.com/i915': '1' } } };
  expect(made(workload({ container }), { found }).entries[0]?.deployment).toMatchObject({
    gpus: 1,
    engine: { accelerator: 'vulkan' },
    target: { gpuResource: 'gpu.intel.com/i915' },
  });
});

test('a name that it answers to stays, and none is written for an engine that answers to any', () => {
  const named = { ...server, options: { ...server.options, servedModel: 'qwen3' } };
  expect(made(workload(), { found: named }).entries[0]?.deployment['engine']).toMatchObject({
    servedModel: 'qwen3',
  });
  const any = { ...server, engine: 'llama.cpp', options: {} };
  const { entries } = made(workload(), { found: any });
  expect(entries[0]?.deployment['engine']).not.toHaveProperty('servedModel');
});

const python = ['python3', '-m', 'vllm.entrypoints.openai.api_server'];

test.each([
  ['by its path', { command: ['/opt/vllm', 'serve'] }, ['/opt/vllm']],
  ['as a module, which takes other arguments', { command: python }, undefined],
])('a program that is named %s', (_how, container, entrypoint) => {
  const { entries, refused } = made(workload({ container }));
  expect(refused).toEqual([]);
  const target = entries[0]?.deployment['target'] as { entrypoint?: string[] } | undefined;
  expect(target?.entrypoint).toEqual(entrypoint);
});

test('in the network of its node, a cluster itself has written the port there', () => {
  const ports = [{ containerPort: 8000, hostPort: 8000 }];
  const { refused, entries } = made(workload({ container: { ports }, pod: { hostNetwork: true } }));
  expect(refused).toEqual([]);
  expect(entries[0]?.deployment['target']).toMatchObject({
    patch: { spec: { template: { spec: { hostNetwork: true } } } },
  });
});

test.each<[unknown, unknown, boolean]>([
  [0, 1, true],
  ['0%', '25%', true],
  [undefined, '100%', true],
  [1, 1, true],
  [1, 0, false],
  ['25%', '25%', false],
  [undefined, undefined, false],
])(
  'a rolling change with %s more and %s less pods is kept where it is not as berth rolls',
  (more, less, kept) => {
    const rollingUpdate = { maxSurge: more, maxUnavailable: less };
    const { entries } = made(workload({ spec: { strategy: { type: 'RollingUpdate', rollingUpdate } } }));
    const target = entries[0]?.deployment['target'] as { strategy: string; patch: { spec: object } };
    expect(target.strategy).toBe('RollingUpdate');
    expect(target.patch.spec).toHaveProperty('template');
    expect(Reflect.get(target.patch.spec, 'strategy')).toEqual(kept ? { rollingUpdate } : undefined);
  },
);

/** Its pods have these annotations. */
function noted(annotations: Record<string, string>): Record<string, unknown> {
  const { template } = workload().spec;
  return { template: { ...template, metadata: { labels: { app: 'qwen' }, annotations } } };
}

test.each<[string, Change, string]>([
  ['one of an operator', { keeper: 'its owner granite' }, 'it is kept by its owner granite'],
  ['a StatefulSet', { kind: 'StatefulSet' }, 'berth runs Deployments'],
  ['several pods', { spec: { replicas: 3 } }, 'it has 3 pods'],
  ['a taken name', { name: 'taken' }, 'the file has a deployment taken already'],
  ['a name that does not fit', { name: '1.qwen' }, 'its name is none that a deployment can have'],
  [
    'two engines in a pod',
    { pod: { containers: [vllm, { ...vllm, name: 'b' }] } },
    'its pods run 2 model servers (vllm, b)',
  ],
  [
    'a sidecar',
    { pod: { containers: [vllm, { name: 'sidecar' }] } },
    'containers beside the engine (vllm, sidecar)',
  ],
  [
    'an init container',
    { pod: { initContainers: [{ name: 'fetch' }] } },
    'containers beside the engine (vllm, fetch)',
  ],
  [
    'a shell',
    { container: { command: ['sh', '-c', 'vllm serve /models/qwen'], args: [] } },
    'by a script or shell',
  ],
  [
    'variables of the cluster',
    { container: { args: ['--port', '$(PORT)'] } },
    'variables that the cluster fills in',
  ],
  [
    'an own secret',
    { container: { env: [{ name: 'HF_TOKEN', value: 'hf_x' }] } },
    'holds a secret (HF_TOKEN)',
  ],
  [
    'a secret by its looks',
    { container: { env: [{ name: 'HTTPS_PROXY', value: 'http://user:pw@proxy:3128' }] } },
    'holds a user with a password (HTTPS_PROXY)',
  ],
  [
    'a secret in a note of its pods',
    { spec: noted({ 'scrape/url': 'http://user:pw@push:9091' }) },
    'its pods are made with a user with a password',
  ],
  [
    'a note that is called a secret',
    { spec: noted({ api_key: 'abc' }) },
    'its pods are made with a secret (api_key)',
  ],
  [
    'a port of the node',
    { container: { ports: [{ containerPort: 8000, hostPort: 80 }] } },
    'takes port 80 of its node',
  ],
  ['a claim of a device', { container: { resources: { claims: [{ name: 'gpu' }] } } }, 'by a claim (gpu)'],
  [
    'a hook',
    { container: { lifecycle: { preStop: { sleep: { seconds: 5 } } } } },
    'when it starts or ends (preStop)',
  ],
  [
    'a field as a variable',
    { container: { env: [{ name: 'IP', valueFrom: { fieldRef: {} } }] } },
    'IP comes from the cluster',
  ],
  [
    'more rights',
    { container: { securityContext: { capabilities: { add: ['IPC_LOCK'] } } } },
    'a right beyond the usual (IPC_LOCK)',
  ],
  ['other amounts', { container: { resources: { limits: { 'rdma/ib': '1' } } } }, 'asks for rdma/ib'],
  [
    'another volume',
    { container: { volumeMounts: [...(vllm.volumeMounts ?? []), { name: 'models', mountPath: '/data' }] } },
    'a volume at /data',
  ],
  [
    'a folder that the cluster names',
    { container: { volumeMounts: [{ name: 'models', mountPath: '/models', subPathExpr: '$(POD)' }] } },
    'its model /models/qwen lies where',
  ],
  ['a model in the image', { container: { volumeMounts: [] } }, 'its model /models/qwen lies where'],
  [
    'files beside the model',
    { container: { args: ['--chat-template=/models/chat.jinja'] } },
    '/models/chat.jinja lies beside its model',
  ],
  [
    'files beside the model, named where the program is',
    {
      container: {
        command: ['vllm', 'serve', '/models/qwen', '--chat-template', '/models/x.jinja'],
        args: [],
      },
    },
    '/models/x.jinja lies beside its model',
  ],
])('%s is refused', (_what, change, reason) => {
  const { entries, refused } = made(workload(change));
  expect(entries).toEqual([]);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.reason).toContain(reason);
});

test('a Service that leads to a port by another name than berth gives it is told', () => {
  const services = [{ name: 'front', selector: { app: 'qwen' }, ways: [{ port: 80, target: 'api' }] }];
  expect(made(workload(), { services }).refused[0]?.reason).toContain(
    'Service front leads to a port by its name',
  );
  const others = [{ name: 'front', selector: { app: 'other' }, ways: [{ port: 80, target: 'api' }] }];
  expect(made(workload(), { services: others }).refused).toEqual([]);
});

test('what asks for a key is refused, and what a fleet has marked is passed over', () => {
  const keyed = made(workload(), { found: { ...server, keyed: true } });
  expect(keyed.refused[0]?.reason).toContain('it asks for a key');
  expect(made(workload({ marked: true }))).toEqual({ entries: [], refused: [] });
});

test('what berth does not run is told with the address at which a gateway in the cluster reaches it', () => {
  const several = workload({ kind: 'StatefulSet', spec: { replicas: 3 } });
  function reason(services: ForeignService[]): string | undefined {
    return made(several, { services }).refused[0]?.reason;
  }
  const ways = [
    { port: 9100, target: 9100 },
    { port: 80, target: 8000 },
  ];
  const found = reason([
    { name: 'other', selector: { app: 'other' }, ways },
    { name: 'front', selector: { app: 'qwen' }, ways },
  ]);
  expect(found).toMatch(/reaches it by engine: \{kind: openai, url: "http:\/\/front:80"\}$/);
  expect(reason([])).toMatch(/make a Service to its pods; then .*"http:\/\/SERVICE:8000"\}$/);
});

import { describe, expect, test } from 'vitest';
import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubeObject } from '../../kube/object.ts';
import { kubeFaults, specsFolder } from '../../../test/support/kube-schema.ts';
import { kubernetesTarget } from '../kubernetes.ts';
import { manifestsOf } from './manifests.ts';
import { KubernetesOptions } from './options.ts';

const spec: LaunchSpec = {
  engine: 'vllm',
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1', cuda: 'e/cuda:1', rocm: 'e/rocm:1' } },
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
  env: { HF_TOKEN_PATH: { hole: 'secret', name: 'hub' }, WORK: { hole: 'cache', name: 'work' } },
  workdir: '/app',
  secrets: { key: { env: 'KEY' }, hub: { file: '/k/hub' } },
  model: '/m/big-00001-of-00003.gguf',
  mmproj: '/m/mm.gguf',
  writable: ['work'],
  caches: { hub: { env: 'HF_HOME' } },
  sharedMemory: 8 * 1024 ** 3,
  devices: { vendor: 'nvidia', count: 2 },
  readiness: { path: '/health', startTimeoutMs: 3_600_000 },
  metricsPath: null,
  stop: { signal: 'SIGTERM', graceMs: 120_000 },
  slots: null,
  servedModel: null,
};

const plain: Partial<LaunchSpec> = {
  args: ['-m', { hole: 'model' }],
  env: {},
  secrets: {},
  writable: [],
  caches: {},
  devices: { vendor: 'none', count: 0 },
  mmproj: null,
};

const inVariables: Partial<LaunchSpec> = {
  secrets: { 'env-LICENCE': { env: 'LICENCE' }, 'env-TOKEN': { secretRef: { name: 'hub', key: 'token' } } },
  secretEnv: { LICENCE: 'env-LICENCE', TOKEN: 'env-TOKEN' },
};

function made(
  given: Record<string, unknown> = {},
  change: Partial<LaunchSpec> = {},
  name = 'big',
): KubeObject[] {
  const placed = { fleet: 'lab', fleetId: 'k3x9', deployment: name, replica: 0, namespace: 'llm', pods: 1 };
  const options = KubernetesOptions.parse({ kind: 'kubernetes', ...given });
  return manifestsOf({ ...placed, port: 8081, spec: { ...spec, ...change } }, options);
}

interface Pod {
  readonly [key: string]: unknown;
  readonly containers: readonly [Record<string, unknown>];
  readonly volumes: readonly Record<string, unknown>[];
}

function deploymentOf(objects: readonly KubeObject[]): Record<string, unknown> & { template: { spec: Pod } } {
  return objects.find((one) => one.kind === 'Deployment')?.['spec'] as ReturnType<typeof deploymentOf>;
}

function podOf(...how: Parameters<typeof made>): Pod {
  return deploymentOf(made(...how)).template.spec;
}

const everything = {
  image: 'e/own:2',
  entrypoint: ['python', '-m', 'vllm'],
  nodeSelector: { zone: 'a' },
  node: 'node1',
  tolerations: [{ key: 'llm', operator: 'Exists', effect: 'NoSchedule' }],
  user: '10001:10002',
  readOnlyRoot: true,
  serviceAccount: 'engine',
  pullSecrets: ['registry'],
  cache: { size: '50Gi', storageClass: 'fast', access: 'ReadWriteMany' },
  service: { type: 'NodePort', nodePort: 30081 },
  ingress: { class: 'nginx', host: 'llm.lab', tls: 'llm-cert' },
  allowFrom: [{ pods: { app: 'gateway' } }, { namespace: { team: 'web' } }],
};

describe.skipIf(specsFolder === undefined)(
  'a strict API server (its schemas lie beside the repository)',
  () => {
    test.each([
      ['as usual', {}, {}],
      ['without GPUs', {}, plain],
      [
        'with amounts',
        {},
        { resources: { requests: { cpu: 0.5, memory: 6 * 1024 ** 3 }, limits: { cpu: 4, memory: 12e9 } } },
      ],
      ['with everything', everything, {}],
      ['with secrets in variables', {}, { ...plain, ...inVariables }],
      ['from a claim', {}, { model: 'pvc://models/mistral/q5.gguf', mmproj: 'pvc://models/mm.gguf' }],
      ['from a folder', {}, { ...plain, model: '/m/Mistral-7B' }],
      ['on AMD', { gpuResource: 'amd.com/gpu' }, { devices: { vendor: 'amd', count: 0 } } as const],
      [
        'patched',
        { patch: { spec: { minReadySeconds: 5, strategy: { type: 'Recreate', rollingUpdate: null } } } },
        plain,
      ],
    ])('takes all objects %s', (_, given, change) => {
      expect(made(given, change).flatMap(kubeFaults)).toEqual([]);
    });

    test('would not take a misspelt field, a wrong type or a word that it does not know', () => {
      const [service] = made();
      const { spec: inner } = service as unknown as { spec: { ports: Record<string, unknown>[] } };
      expect(kubeFaults({ ...service, spec: { ...inner, typ: 'x' } })).toEqual([
        'Service.spec.typ is unknown',
      ]);
      expect(kubeFaults({ ...service, spec: { ...inner, ports: [{ port: '80' }] } })).toEqual([
        'Service.spec.ports[0].port is a string, not a integer',
      ]);
      expect(kubeFaults({ ...service, kind: 'Servise' })).toEqual(['there is no v1 Servise']);
    });
  },
);

test('who alone may ask an engine are those that the file names and the gateway beside it', () => {
  const policy = made({ allowFrom: [{ pods: { app: 'x' } }] }, plain).find(
    ({ kind }) => kind === 'NetworkPolicy',
  );
  expect(policy).toMatchObject({
    spec: {
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { app: 'x' } } },
            {
              podSelector: {
                matchLabels: {
                  'app.kubernetes.io/name': 'berth-gateway',
                  'app.kubernetes.io/component': 'gateway',
                },
              },
            },
          ],
        },
      ],
    },
  });
  expect(made({}, plain).some(({ kind }) => kind === 'NetworkPolicy')).toBe(false);
});

test('secrets of the cluster are files beside those that berth brings, and a token is of the account that the pod runs as', () => {
  const secrets: LaunchSpec['secrets'] = {
    key: { env: 'KEY' },
    hub: { secretRef: { name: 'hub-secret', key: 'token' } },
    registry: { serviceAccount: 'workload' },
  };
  const pod = podOf({}, { secrets });
  expect(pod['serviceAccountName']).toBe('workload');
  expect(pod.volumes).toContainEqual({
    name: 'secrets',
    projected: {
      defaultMode: 0o440,
      sources: [
        { secret: { name: 'big-secrets' } },
        { secret: { name: 'hub-secret', items: [{ key: 'token', path: 'hub' }] } },
        { serviceAccountToken: { path: 'registry', expirationSeconds: 3600 } },
      ],
    },
  });
  const options = KubernetesOptions.parse({ kind: 'kubernetes' });
  const change = { ...spec, ...plain };
  expect(kubernetesTarget.refuses({ ...change, secrets }, options)).toBeNull();
  expect(kubernetesTarget.refuses({ ...change, secrets }, { ...options, serviceAccount: 'engine' })).toBe(
    'a pod runs as one service account, not as engine and workload',
  );
  const whole = { hub: { secretRef: { name: 'hub-secret' } } };
  expect(kubernetesTarget.refuses({ ...change, secrets: whole }, options)).toContain('name its key');
});

test('other secrets are other pods, and the same ones are not', () => {
  function templateOf(secrets: Mark['secrets']): unknown {
    const placed = {
      fleet: 'lab',
      fleetId: 'x',
      deployment: 'a',
      replica: 0,
      namespace: null,
      pods: 1,
      port: 1,
    };
    const options = KubernetesOptions.parse({ kind: 'kubernetes' });
    const { template } = deploymentOf(manifestsOf({ ...placed, spec, secrets }, options));
    return (template as unknown as { metadata: { annotations?: unknown } }).metadata.annotations;
  }
  const first = templateOf({ by: 'here', of: { key: 'aa' } });
  expect(first).toEqual({ 'berth.dev/secrets': expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(templateOf({ by: 'here', of: { key: 'aa' } })).toEqual(first);
  expect(templateOf({ by: 'here', of: { key: 'ab' } })).not.toEqual(first);
  expect(templateOf(undefined)).toBeUndefined();
});

test('holes are places in the pod, and secrets are files of a Secret that no manifest holds', () => {
  const objects = made();
  const [engine] = podOf().containers;
  expect(engine['args']).toEqual([
    'serve',
    '/models/big-00001-of-00003.gguf',
    '--host',
    '0.0.0.0',
    '--port=8081',
    '--config',
    '/run/secrets/berth/key',
    '/m/lora',
  ]);
  expect(engine['env']).toEqual([
    { name: 'HF_HOME', value: '/var/lib/berth/hub' },
    { name: 'HF_TOKEN_PATH', value: '/run/secrets/berth/hub' },
    { name: 'WORK', value: '/var/lib/berth/work' },
  ]);
  expect(objects.map((one) => one.kind)).toEqual(['Service', 'Deployment']);
  expect(podOf().volumes).toContainEqual({
    name: 'secrets',
    secret: { secretName: 'big-secrets', defaultMode: 0o440 },
  });
});

test('words and variables of the file reach the engine as they stand, though the cluster would put variables into them', () => {
  const [engine] = podOf(
    { entrypoint: ['run', '$(WHO)'] },
    { ...plain, args: ['--alias', '$(WHO)', '--regex', 'x$=CPU'], env: { WHO: 'me', SAYS: '$(WHO)$$' } },
  ).containers;
  expect([engine['command'], engine['args']]).toEqual([
    ['run', '$$(WHO)'],
    ['--alias', '$$(WHO)', '--regex', 'x$=CPU'],
  ]);
  expect(engine['env']).toContainEqual({ name: 'SAYS', value: '$$(WHO)$$$$' });
});

test('a model may load for as long as its engine says before a probe kills it, and the rollout waits for longer', () => {
  const [engine] = podOf().containers;
  const { periodSeconds, failureThreshold } = engine['startupProbe'] as Record<string, number>;
  expect((periodSeconds ?? 0) * (failureThreshold ?? 0)).toBe(3610);
  expect(deploymentOf(made())['progressDeadlineSeconds']).toBeGreaterThan(3600);
});

test('what holds GPUs is recreated and asks for them in requests and limits; other pods come before the old ones go', () => {
  expect(deploymentOf(made())['strategy']).toEqual({ type: 'Recreate' });
  const [engine] = podOf().containers;
  expect(engine['resources']).toEqual({
    requests: { 'nvidia.com/gpu': '2' },
    limits: { 'nvidia.com/gpu': '2' },
  });
  expect(podOf()['tolerations']).toEqual([
    { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
  ]);
  const ofParts = podOf({ gpuResource: 'nvidia.com/mig-1g.10gb' })['tolerations'] as { key: string }[];
  expect(ofParts.map(({ key }) => key)).toEqual(['nvidia.com/mig-1g.10gb', 'nvidia.com/gpu']);
  expect(deploymentOf(made({}, plain))['strategy']).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
  expect(podOf({}, plain)['tolerations']).toBeUndefined();
});

test('a claim of one node at a time is no place for two pods, so they are not rolled', () => {
  const cached = { ...plain, caches: { hub: { env: 'HF_HOME' } } };
  expect(deploymentOf(made({ cache: { size: '1Gi' } }, cached))['strategy']).toEqual({ type: 'Recreate' });
});

test('the Service and the Deployment know the pods by labels that stay, and by no other', () => {
  const [service, deployment] = made() as unknown as [
    { spec: { selector: unknown } },
    { metadata: { labels: unknown }; spec: { selector: unknown; template: { metadata: unknown } } },
  ];
  const labels = { 'app.kubernetes.io/name': 'big', 'app.kubernetes.io/instance': 'big' };
  expect(service.spec.selector).toEqual(labels);
  expect(deployment.spec.selector).toEqual({ matchLabels: labels });
  expect(deployment.spec.template.metadata).toEqual({ labels });
  expect(deployment.metadata.labels).toMatchObject({ 'berth.dev/fleet': 'lab' });
});

test('a name that Kubernetes would not take is made to fit, and two of them stay apart', () => {
  const [a] = made({}, {}, 'qwen2.5_7b');
  const [b] = made({}, {}, 'qwen2-5.7b');
  expect(a?.metadata.name).toMatch(/^b-qwen2-5-7b-[0-9a-f]{6}$/);
  expect(a?.metadata.name).not.toBe(b?.metadata.name);
  const [long] = made({}, {}, 'x'.repeat(63));
  expect(long?.metadata.name.length).toBeLessThan(50);
});

test('no pod shares anything of its node, gets variables of Services, or a token of the cluster', () => {
  const pod = podOf(everything);
  expect(pod).toMatchObject({ enableServiceLinks: false, automountServiceAccountToken: false });
  expect(Object.keys(pod).filter((key) => key.startsWith('host'))).toEqual([]);
  expect(pod['securityContext']).toMatchObject({ runAsNonRoot: true, runAsUser: 10001, fsGroup: 10002 });
});

test('a patch is merged over the Deployment: null takes away, lists are replaced', () => {
  const patched = deploymentOf(made({ patch: { spec: { replicas: 3, revisionHistoryLimit: null } } }));
  expect(patched['replicas']).toBe(3);
  expect('revisionHistoryLimit' in patched).toBe(false);
  expect(patched.template.spec.containers.length).toBe(1);
});

test('a secret in a variable is a reference, and no file of its own', () => {
  const pod = podOf({}, { ...plain, ...inVariables });
  expect(pod.containers[0]['env']).toEqual([
    { name: 'LICENCE', valueFrom: { secretKeyRef: { name: 'big-secrets', key: 'env-LICENCE' } } },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hub', key: 'token' } } },
  ]);
  expect(pod.volumes.map(({ name }) => name)).not.toContain('secrets');
  const token = { ...inVariables, secrets: { 'env-LICENCE': { serviceAccount: 'workload' } } };
  const options = KubernetesOptions.parse({ kind: 'kubernetes' });
  expect(kubernetesTarget.refuses({ ...spec, ...token }, options)).toContain('no variable can hold it');
});

test('Vulkan wants to be told whose GPUs are asked for, and of NVIDIA it has the part of the driver that draws', () => {
  const vulkan = { ...plain, devices: { vendor: 'any', count: 1 } } as const;
  function refused(given: object): string | null {
    const options = KubernetesOptions.parse({ kind: 'kubernetes', image: 'e/vulkan:1', ...given });
    return kubernetesTarget.refuses({ ...spec, ...vulkan }, options);
  }
  expect(refused({})).toContain('target.gpuResource does not say which are asked for: nvidia.com/gpu,');
  expect(refused({ gpuResource: 'gpu.intel.com/xe' })).toBeNull();
  function engineOf(gpuResource: string, change: Partial<LaunchSpec> = {}): Record<string, unknown> {
    return podOf({ gpuResource }, { ...vulkan, ...change }).containers[0];
  }
  const parts = 'NVIDIA_DRIVER_CAPABILITIES';
  expect(engineOf('nvidia.com/gpu')['env']).toEqual([{ name: parts, value: 'compute,utility,graphics' }]);
  expect(engineOf('nvidia.com/gpu', { env: { [parts]: 'all' } })['env']).toEqual([
    { name: parts, value: 'all' },
  ]);
  expect(engineOf('gpu.intel.com/xe')).toMatchObject({ resources: { limits: { 'gpu.intel.com/xe': '1' } } });
  expect(engineOf('gpu.intel.com/xe')).not.toHaveProperty('env');
  expect(podOf({}, { ...plain, devices: { vendor: 'nvidia', count: 1 } }).containers[0]).not.toHaveProperty(
    'env',
  );
});

test('whoever is behind a way in is let in beside those that alone may ask, and nobody twice', () => {
  const web = { namespace: { team: 'web' } };
  const policy = made(
    {
      allowFrom: [web],
      ingress: { host: 'h', from: web },
      httpRoute: { gateway: 'g', from: { namespace: { team: 'infra' }, pods: { app: 'proxy' } } },
      monitor: { from: { namespace: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    },
    { ...plain, metricsPath: '/metrics' },
  ).find(({ kind }) => kind === 'NetworkPolicy') as unknown as { spec: { ingress: [{ from: unknown[] }] } };
  expect(policy.spec.ingress[0].from).toEqual([
    { namespaceSelector: { matchLabels: web.namespace } },
    {
      namespaceSelector: { matchLabels: { team: 'infra' } },
      podSelector: { matchLabels: { app: 'proxy' } },
    },
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    { podSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/name': 'berth-gateway' }) } },
  ]);
});

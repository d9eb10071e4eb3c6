import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { kubeFaults, specsFolder } from '../../../test/support/kube-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubeObject } from '../../kube/object.ts';
import { manifestsOf } from './manifests.ts';
import { localWorld } from '../../io/local-world.ts';
import type { Mark } from '../../domain/instance.ts';
import { kserveTarget } from '../kserve.ts';
import { KserveOptions } from './options.ts';
import { storageSecret } from './storage-secret.ts';

const spec: LaunchSpec = {
  engine: 'vllm',
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1', cuda: 'e/cuda:1' }, imageCommand: ['vllm'] },
  args: [
    'serve',
    { hole: 'model' },
    '--port',
    { hole: 'port' },
    '--tensor-parallel-size',
    '4',
    '--config',
    { hole: 'secret', name: 'key' },
  ],
  env: {},
  secrets: { key: { env: 'KEY' } },
  model: 'pvc://m24q/w4a16',
  mmproj: null,
  writable: [],
  caches: { compiled: { env: 'VLLM_CACHE_ROOT' } },
  sharedMemory: 8 * 1024 ** 3,
  devices: { vendor: 'nvidia', count: 4 },
  readiness: { path: '/health', startTimeoutMs: 1_800_000 },
  metricsPath: '/metrics',
  stop: { signal: 'SIGTERM', graceMs: 120_000 },
  slots: 16,
  servedModel: null,
};

function markOf(change: Partial<LaunchSpec>): Mark {
  return {
    fleet: 'lab',
    fleetId: 'k3x9',
    deployment: 'mistral-24b',
    replica: 0,
    target: { kind: 'kserve' },
    address: '127.0.0.1',
    port: 8080,
    logFile: '',
    declared: {},
    spec: { ...spec, ...change },
  };
}

function made(given: Record<string, unknown> = {}, change: Partial<LaunchSpec> = {}): KubeObject[] {
  const options = KserveOptions.parse({ kind: 'kserve', ...given });
  const placed = { fleet: 'lab', fleetId: 'k3x9', deployment: 'mistral-24b', replica: 0 };
  return manifestsOf({ ...placed, spec: { ...spec, ...change } }, options);
}

function predictorOf(objects: readonly KubeObject[]): {
  model: Record<string, unknown>;
  [key: string]: unknown;
} {
  const service = objects.find((one) => one.kind === 'InferenceService');
  if (!service) throw new Error('there is no InferenceService');
  return (service['spec'] as { predictor: ReturnType<typeof predictorOf> }).predictor;
}

const openshift = {
  dashboard: { title: 'Mistral 24B', hardwareProfile: { name: 'gpu-l4x4' } },
  route: { auth: true },
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
  serviceAccount: 'models',
};

const fromS3: Partial<LaunchSpec> = {
  model: 's3://models/mistral-24b',
  modelSecret: { file: '/run/s3.env' },
};
const stored: NonNullable<LaunchSpec['modelSecret']> = { secretRef: { name: 'minio' } };

describe.skipIf(specsFolder === undefined)(
  'the definitions of KServe (they lie beside the repository)',
  () => {
    test.each([
      ['as usual', {}, {}],
      ['as OpenShift AI shows it', openshift, {}],
      ['with a token that lasts', { route: { auth: true, token: true } }, {}],
      ['by Knative', { mode: 'Knative' }, {}],
      ['from S3', {}, { model: 's3://models/mistral-24b' }],
      ['from an image', {}, { model: 'oci://registry.lab/models/mistral:1' }],
      ['from S3 with keys that berth has', {}, fromS3],
      ['from S3 with keys that OpenShift AI has', {}, { ...fromS3, modelSecret: stored }],
      ['by a connection', { connection: { secret: 'minio' } }, { model: 's3://models/mistral-24b' }],
      ['for several users', { mode: 'Knative', ...openshift, runtime: { use: 'vllm-cuda' } }, {}],
      ['with a secret in a variable', {}, { secretEnv: { KEY: 'key' }, args: ['serve', 'a/b'] }],
      ['without a model of its own', {}, { model: null, secrets: {}, args: ['serve', 'a/b'] }],
      ['by a runtime that is there', { runtime: { use: 'vllm-cuda' } }, {}],
      ['with a patch', { patch: { spec: { predictor: { runtimeClassName: 'nvidia' } } } }, {}],
    ])('take all objects %s', (_, given, change) => {
      expect(made(given, change).flatMap(kubeFaults)).toEqual([]);
    });

    test('would not take a misspelt field', () => {
      const [, service] = made();
      const wrong = { ...service, spec: { predictor: { minReplicas: 'one', modle: {} } } };
      expect(kubeFaults(wrong)).toEqual([
        'InferenceService.spec.predictor.minReplicas is a string, not a integer',
        'InferenceService.spec.predictor.modle is unknown',
      ]);
    });
  },
);

test('KServe brings the model to its own place, and its port is its own', () => {
  const { model } = predictorOf(made());
  expect(model).toMatchObject({
    storageUri: 'pvc://m24q/w4a16',
    args: [
      'serve',
      '/mnt/models',
      '--port',
      '8080',
      '--tensor-parallel-size',
      '4',
      '--config',
      '/run/secrets/berth/key',
    ],
    resources: { limits: { 'nvidia.com/gpu': '4' } },
  });
  expect(predictorOf(made({}, { model: 'pvc://claim/q/m.gguf' })).model).toMatchObject({
    storageUri: 'pvc://claim/q',
    args: [
      'serve',
      '/mnt/models/m.gguf',
      '--port',
      '8080',
      '--tensor-parallel-size',
      '4',
      '--config',
      '/run/secrets/berth/key',
    ],
  });
});

test('words of the file reach the engine as they stand, though the cluster would put variables into them', () => {
  const args = ['serve', { hole: 'model' } as const, '--served-model-name', '$(WHO)'];
  const objects = made({ entrypoint: ['run', '$(WHO)'] }, { args, env: { WHO: '$(ELSE)' } });
  const { model } = predictorOf(objects);
  expect(model['args']).toEqual(expect.arrayContaining(['--served-model-name', '$$(WHO)']));
  expect(model['env']).toContainEqual({ name: 'WHO', value: '$$(ELSE)' });
  const runtime = objects.find(({ kind }) => kind === 'ServingRuntime');
  expect(runtime?.['spec']).toMatchObject({ containers: [{ command: ['run', '$$(WHO)'] }] });
});

test('an image that holds the model is named as it is, and a file that is fetched is opened by its name', () => {
  const image = 'oci://registry.lab/models/mistral:1';
  expect(predictorOf(made({}, { model: image })).model['storageUri']).toBe(image);
  expect(predictorOf(made({}, { model: image })).model['args']).toContain('/mnt/models');
  const connection = { secret: 'minio', path: 'q/m.gguf' };
  for (const objects of [
    made({}, { model: 's3://models/q/m.gguf' }),
    made({}, { model: 's3://models/q/m.gguf', modelSecret: stored }),
    made({ connection }, { model: 's3://models/q' }),
  ])
    expect(predictorOf(objects).model['args']).toContain('/mnt/models/m.gguf');
});

test('of a bucket all files of a model are fetched, and the first of them is opened', () => {
  const model = 's3://models/q/m-00001-of-00003.gguf';
  const plain = predictorOf(made({}, { model })).model;
  expect(plain).toMatchObject({ storageUri: 's3://models/q' });
  const keyed = predictorOf(made({}, { model, modelSecret: stored })).model;
  expect(keyed).toMatchObject({ storage: { path: 'q', parameters: { bucket: 'models' } } });
  const connected = made({ connection: { secret: 'minio' } }, { model });
  expect(connected.at(-1)?.metadata.annotations).toMatchObject({ 'opendatahub.io/connection-path': 'q' });
  for (const { args } of [plain, keyed, predictorOf(connected).model])
    expect(args).toContain('/mnt/models/m-00001-of-00003.gguf');
  const alone = predictorOf(made({}, { model: 's3://models/m-00001-of-00003.gguf' })).model;
  expect(alone).toMatchObject({ storageUri: 's3://models/' });
});

test('a repository of the Hub is named as KServe names it, and a part of one is refused', () => {
  function uriOf(model: string): unknown {
    return predictorOf(made({}, { model })).model['storageUri'];
  }
  function refused(model: string, change: Partial<LaunchSpec> = {}): string | null {
    return kserveTarget.refuses({ ...spec, model, ...change }, KserveOptions.parse({ kind: 'kserve' }));
  }
  expect(uriOf('hf://Qwen/Qwen3-0.6B')).toBe('hf://Qwen/Qwen3-0.6B');
  expect(uriOf('hf://Qwen/Qwen3-0.6B@abc123')).toBe('hf://Qwen/Qwen3-0.6B:abc123');
  expect(refused('hf://Qwen/Qwen3-0.6B@abc123')).toBeNull();
  for (const part of ['hf://o/r@abc/m.gguf', 'hf://o/r@abc:Q4_K_M', 'hf://o/r/folder'])
    expect(refused(part)).toContain(`whole repositories of the Hub, and ${part} is a part of one`);
  expect(refused('hf://gpt2')).toContain('OWNER/NAME');
  expect(refused('https://lab/m-00001-of-00003.gguf')).toContain('one file of a web server');
  expect(refused('hf://o/r', { modelSecret: { secretRef: { name: 'hub' } } })).toContain(
    'target.serviceAccount',
  );
});

test('what berth has no word for is merged over the service, and its runtime stays as it is', () => {
  const patch = {
    metadata: { labels: { 'opendatahub.io/genai-asset': 'true' } },
    spec: { predictor: { runtimeClassName: 'nvidia', maxReplicas: null } },
  };
  const [runtime, service] = made({ patch });
  expect(service?.metadata.labels).toMatchObject({
    'app.kubernetes.io/managed-by': 'berth',
    'opendatahub.io/genai-asset': 'true',
  });
  expect(predictorOf(made({ patch }))).toMatchObject({ runtimeClassName: 'nvidia', minReplicas: 1 });
  expect(predictorOf(made({ patch }))).not.toHaveProperty('maxReplicas');
  expect(runtime).toEqual(made()[0]);
  const hash = 'berth.dev/spec';
  const hashes = [{}, { patch }].map(
    (given) => made({ mode: 'Knative', ...given }).at(-1)?.metadata.annotations?.[hash],
  );
  expect(new Set(hashes).size).toBe(2);
});

test('no mark stands on the service, since its annotations flow into its pods', () => {
  expect(JSON.stringify(made().map(({ metadata }) => metadata))).not.toContain('berth.dev/mark');
});

test('the runtime has the name that services are merged by, and the service names the runtime', () => {
  const [runtime] = made({ runtime: { create: 'vllm-cuda' } });
  expect(runtime).toMatchObject({
    kind: 'ServingRuntime',
    metadata: { name: 'vllm-cuda' },
    spec: {
      multiModel: false,
      containers: [{ name: 'kserve-container', image: 'e/cuda:1', command: ['vllm'] }],
    },
  });
  const named = predictorOf(made({ runtime: { use: 'theirs' } })).model;
  expect(named['runtime']).toBe('theirs');
  expect(named['args']).toEqual(['--tensor-parallel-size', '4', '--config', '/run/secrets/berth/key']);
  expect(made({ runtime: { use: 'theirs' } }).map((one) => one.kind)).toEqual(['InferenceService']);
});

test('what holds GPUs is recreated, and OpenShift AI finds its own labels and annotations', () => {
  expect(predictorOf(made())['deploymentStrategy']).toEqual({ type: 'Recreate' });
  const service = made(openshift).at(-1);
  expect(service?.metadata.labels).toMatchObject({
    'opendatahub.io/dashboard': 'true',
    'networking.kserve.io/visibility': 'exposed',
  });
  expect(service?.metadata.annotations).toMatchObject({
    'serving.kserve.io/deploymentMode': 'RawDeployment',
    'security.opendatahub.io/enable-auth': 'true',
    'opendatahub.io/hardware-profile-name': 'gpu-l4x4',
  });
});

test('a Route that asks for a token has an account that may see this one service, and no other right', () => {
  const objects = made({ route: { auth: true } });
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ServiceAccount mistral-24b-sa',
    'Role mistral-24b-view-role',
    'RoleBinding mistral-24b-view',
    'ServingRuntime mistral-24b',
    'InferenceService mistral-24b',
  ]);
  const [account, role, binding] = objects;
  expect(account?.metadata.labels).toMatchObject({ 'berth.dev/fleet-id': 'k3x9' });
  expect(role?.['rules']).toEqual([
    {
      apiGroups: ['serving.kserve.io'],
      resources: ['inferenceservices'],
      resourceNames: ['mistral-24b'],
      verbs: ['get'],
    },
  ]);
  expect(binding).toMatchObject({
    roleRef: { kind: 'Role', name: 'mistral-24b-view-role' },
    subjects: [{ kind: 'ServiceAccount', name: 'mistral-24b-sa' }],
  });
  expect(predictorOf(objects)['serviceAccountName']).toBeUndefined();
  expect(made({ route: { auth: true, token: true } })[3]).toMatchObject({
    kind: 'Secret',
    type: 'kubernetes.io/service-account-token',
    metadata: { annotations: { 'kubernetes.io/service-account.name': 'mistral-24b-sa' } },
  });
  expect(made({ route: {} }).map(({ kind }) => kind)).toEqual(['ServingRuntime', 'InferenceService']);
});

test('keys that berth has come by a Secret of a service account, which the service runs as', () => {
  const objects = made({}, fromS3);
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ServiceAccount mistral-24b-storage',
    'ServingRuntime mistral-24b',
    'InferenceService mistral-24b',
  ]);
  expect(objects[0]?.['secrets']).toEqual([{ name: 'mistral-24b-storage' }]);
  expect(predictorOf(objects)).toMatchObject({
    serviceAccountName: 'mistral-24b-storage',
    model: { storageUri: 's3://models/mistral-24b' },
  });
});

test('its keys and its place are read from the lines of the secret, and stand in no other object', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-s3-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 's3.env');
  writeFileSync(
    file,
    'AWS_ACCESS_KEY_ID=me\nAWS_SECRET_ACCESS_KEY=hush\nAWS_ENDPOINT_URL=http://minio:9000\n',
  );
  const mark = markOf({ ...fromS3, modelSecret: { file } });
  const world = { ...localWorld(), env: {} };
  const [secret] = await storageSecret(world, mark);
  expect(secret).toMatchObject({
    kind: 'Secret',
    metadata: {
      name: 'mistral-24b-storage',
      annotations: {
        'serving.kserve.io/s3-endpoint': 'minio:9000',
        'serving.kserve.io/s3-usehttps': '0',
        'serving.kserve.io/s3-region': 'us-east-1',
      },
    },
    data: { AWS_ACCESS_KEY_ID: btoa('me'), AWS_SECRET_ACCESS_KEY: btoa('hush') },
  });
  expect(specsFolder === undefined ? [] : kubeFaults(secret)).toEqual([]);
  expect(JSON.stringify(manifestsOf(mark, KserveOptions.parse({ kind: 'kserve' })))).not.toContain('hush');
  writeFileSync(file, 'AWS_ACCESS_KEY_ID=me\n');
  await expect(storageSecret(world, mark)).rejects.toMatchObject({ code: 'SECRET_MISSING' });
});

test('a connection of OpenShift AI is named in place of an address', () => {
  const objects = made({ connection: { secret: 'minio' } }, { model: 's3://models/mistral-24b' });
  const service = objects.at(-1);
  expect(service?.metadata.annotations).toMatchObject({
    'opendatahub.io/connections': 'minio',
    'opendatahub.io/connection-path': 'mistral-24b',
  });
  const { model } = predictorOf(objects);
  expect(Object.keys(model).filter((key) => key.startsWith('storage'))).toEqual([]);
  expect(model['args']).toContain('/mnt/models');
});

test('two who would say how the model is fetched are refused', () => {
  function refused(given: Record<string, unknown>, change: Partial<LaunchSpec>): string | null {
    const options = KserveOptions.parse({ kind: 'kserve', ...given });
    return kserveTarget.refuses({ ...spec, ...change }, options);
  }
  expect(refused({}, fromS3)).toBeNull();
  expect(refused({ serviceAccount: 'models' }, fromS3)).toContain('leave target.serviceAccount out');
  const token: LaunchSpec['secrets'] = { key: { serviceAccount: 'bench' } };
  expect(refused({}, { ...fromS3, secrets: token })).toContain('no token of the account bench');
  expect(refused({ connection: { secret: 'minio' } }, fromS3)).toContain('models.NAME.secret');
  expect(refused({ connection: { secret: 'minio' } }, {})).toContain('models.NAME.at');
  expect(refused({ connection: { secret: 'minio' } }, { model: null })).toContain('has none');
  expect(refused({}, { model: 'oci://lab/m:1', modelSecret: { env: 'KEY' } })).toContain(
    'target.pullSecrets',
  );
  expect(refused({}, { model: 'https://lab/m', modelSecret: { env: 'KEY' } })).toContain(
    'target.serviceAccount',
  );
});

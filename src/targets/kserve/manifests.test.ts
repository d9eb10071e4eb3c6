import { describe, expect, test } from 'vitest';
import { kubeFaults, specsFolder } from '../../../test/support/kube-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubeObject } from '../../kube/object.ts';
import { manifestsOf } from './manifests.ts';
import { KserveOptions } from './options.ts';

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

describe.skipIf(specsFolder === undefined)(
  'the definitions of KServe (they lie beside the repository)',
  () => {
    test.each([
      ['as usual', {}, {}],
      ['as OpenShift AI shows it', openshift, {}],
      ['by Knative', { mode: 'Knative' }, {}],
      ['from S3', {}, { model: 's3://models/mistral-24b' }],
      ['without a model of its own', {}, { model: null, secrets: {}, args: ['serve', 'a/b'] }],
      ['by a runtime that is there', { runtime: { use: 'vllm-cuda' } }, {}],
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
  expect(predictorOf(made({ runtime: { use: 'theirs' } })).model['runtime']).toBe('theirs');
  expect(made({ runtime: { use: 'theirs' } }).map((one) => one.kind)).toEqual(['InferenceService']);
});

test('what holds GPUs is recreated, and OpenShift AI finds its own labels and annotations', () => {
  expect(predictorOf(made())['deploymentStrategy']).toEqual({ type: 'Recreate' });
  const [, service] = made(openshift);
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

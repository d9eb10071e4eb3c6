import { expect, test } from 'vitest';
import { kubeFaults, specsFolder } from '../../../test/support/kube-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubeObject } from '../../kube/object.ts';
import { fetchRefuses } from './fetch.ts';
import { manifestsOf } from './manifests.ts';
import { KubernetesOptions } from './options.ts';

const fetched = {
  from: 'hf://Qwen/Qwen3-0.6B',
  claim: 'weights',
  folder: 'qwen3',
  size: '20Gi',
  access: 'ReadWriteMany' as const,
  image: 'e/fetch:1',
  entrypoint: ['/fetch'],
  secret: 'hub',
};

const spec: LaunchSpec = {
  engine: 'vllm',
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1' } },
  args: ['serve', { hole: 'model' }],
  env: {},
  secrets: {},
  model: 'pvc://weights/qwen3',
  mmproj: null,
  fetched,
  writable: [],
  devices: { vendor: 'none', count: 0 },
  readiness: { path: '/health', startTimeoutMs: 60_000 },
  metricsPath: '/metrics',
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
  slots: null,
  servedModel: null,
};

function made(replica = 0, change: Partial<typeof fetched> = {}): KubeObject[] {
  const placed = { fleet: 'lab', fleetId: 'k3x9', deployment: 'big', namespace: 'llm', port: 8081, pods: 1 };
  const options = KubernetesOptions.parse({ kind: 'kubernetes' });
  return manifestsOf({ ...placed, replica, spec: { ...spec, fetched: { ...fetched, ...change } } }, options);
}

test.skipIf(specsFolder === undefined)(
  'a strict API server takes the claim, the Job and the pods that wait for it',
  () => {
    expect(made().flatMap(kubeFaults)).toEqual([]);
  },
);

test('the first replica fetches for all, into a claim that is of no deployment alone', () => {
  expect(made().map(({ kind }) => kind)).toEqual(['PersistentVolumeClaim', 'Job', 'Service', 'Deployment']);
  expect(made(1).map(({ kind }) => kind)).toEqual(['Service', 'Deployment']);
  const [claim] = made();
  expect(claim?.metadata).toMatchObject({ name: 'weights', labels: { 'berth.dev/fleet': 'lab' } });
  expect(Object.keys(claim?.metadata.labels ?? {})).not.toContain('app.kubernetes.io/instance');
});

test('another wish is another Job, since a Job cannot be changed', () => {
  const [, job] = made();
  expect(made()[1]?.metadata.name).toBe(job?.metadata.name);
  expect(made(0, { image: 'e/fetch:2' })[1]?.metadata.name).not.toBe(job?.metadata.name);
});

test('engines wait for the very file that a whole fetch leaves', () => {
  const job = made()[1]?.['spec'] as { template: { spec: { containers: [{ command: string[] }] } } };
  const pods = made(1)[1]?.['spec'] as { template: { spec: { initContainers: [{ command: string[] }] } } };
  const left = job.template.spec.containers[0].command[3];
  expect(left).toMatch(/^\/mnt\/models\/qwen3\/\.berth-[0-9a-f]{8}$/);
  expect(pods.template.spec.initContainers[0].command.at(-1)).toBe(left);
});

test('what no Job can fetch is refused', () => {
  function refused(from: string): string | null {
    return fetchRefuses({ ...spec, fetched: { ...fetched, from } });
  }
  expect(refused('./m.gguf')).toContain('a file of this machine');
  expect(refused('hf://a/b:Q5_K_M')).toContain('whole repositories');
  expect(refused('s3://models/mistral')).toBeNull();
});

import { describe, expect, test } from 'vitest';
import { hasKind, kubeFaults } from '../../../test/support/kube-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubeObject } from '../../kube/object.ts';
import { kubernetesTarget } from '../kubernetes.ts';
import { manifestsOf } from './manifests.ts';
import { KubernetesOptions } from './options.ts';

const spec: LaunchSpec = {
  engine: 'llama.cpp',
  program: { binary: 'llama-server', images: { cpu: 'e/cpu:1' } },
  args: ['-m', { hole: 'model' }],
  env: {},
  secrets: { key: { env: 'KEY' } },
  model: '/m/a.gguf',
  mmproj: null,
  writable: [],
  devices: { vendor: 'none', count: 0 },
  readiness: { path: '/health', startTimeoutMs: 60_000 },
  metricsPath: '/metrics',
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
  slots: 2,
  servedModel: null,
};

function made(
  target: Record<string, unknown>,
  { replica = 0, change = {} }: { replica?: number; change?: Partial<LaunchSpec> } = {},
): KubeObject[] {
  const placed = { fleet: 'lab', fleetId: 'k3x9', deployment: 'big', namespace: 'llm', port: 8081, pods: 1 };
  const options = KubernetesOptions.parse({ kind: 'kubernetes', ...target });
  return manifestsOf({ ...placed, replica, spec: { ...spec, ...change } }, options);
}

function specOf(objects: readonly KubeObject[], kind: string): unknown {
  return objects.find((one) => one.kind === kind)?.['spec'];
}

const prometheus = { prometheus: 'http://prometheus:9090', query: 'sum(a)', threshold: 8 };

const shapes = [
  ['PodDisruptionBudget', 'policy/v1', { disruptionBudget: { maxUnavailable: '50%' } }],
  ['PodDisruptionBudget', 'policy/v1', { disruptionBudget: { minAvailable: 1 } }],
  ['HorizontalPodAutoscaler', 'autoscaling/v2', { autoscale: { max: 4, metric: 'waiting', average: 2.5 } }],
  [
    'HTTPRoute',
    'gateway.networking.k8s.io/v1',
    {
      httpRoute: {
        gateway: 'web',
        gatewayNamespace: 'infra',
        section: 'https',
        host: 'llm.lab',
        timeout: '10m',
      },
    },
  ],
  ['HTTPRoute', 'gateway.networking.k8s.io/v1', { httpRoute: { gateway: 'web' } }],
  ['ServiceMonitor', 'monitoring.coreos.com/v1', { monitor: { labels: { release: 'prometheus' } } }],
  ['PodMonitor', 'monitoring.coreos.com/v1', { monitor: { by: 'pods', interval: '30s' } }],
  ['ScaledObject', 'keda.sh/v1alpha1', { autoscale: { min: 2, max: 8, ...prometheus } }],
] as const;

describe.each(shapes)('%s', (kind, apiVersion, target) => {
  const known = hasKind(apiVersion, kind);
  test.skipIf(!known)(
    `is as its own definition wants it: ${JSON.stringify(target)}${known ? '' : ' (skipped: no definition of it)'}`,
    () => {
      const objects = made(target);
      expect(objects.map((one) => one.kind)).toContain(kind);
      expect(objects.flatMap(kubeFaults)).toEqual([]);
    },
  );
});

test('nothing of a platform is made that nobody asks for', () => {
  expect(made({}).map(({ kind }) => kind)).toEqual(['Service', 'Deployment']);
});

test('a budget counts the pods of all replicas, and the first of them has it', () => {
  const target = { disruptionBudget: { maxUnavailable: 1 } };
  expect(specOf(made(target), 'PodDisruptionBudget')).toMatchObject({
    maxUnavailable: 1,
    selector: { matchLabels: { 'app.kubernetes.io/name': 'big' } },
  });
  expect(specOf(made(target, { replica: 1 }), 'PodDisruptionBudget')).toBeUndefined();
});

test('who scales a Deployment says how many pods there are, and nobody else', () => {
  const still = specOf(made({}), 'Deployment') as { replicas?: number };
  const scaled = specOf(made({ autoscale: { max: 4, ...prometheus } }), 'Deployment') as typeof still;
  expect([still.replicas, scaled.replicas]).toEqual([1, undefined]);
});

test('metrics are asked for with the key that the engine wants, and not where the engine has none', () => {
  expect(specOf(made({ monitor: {} }), 'ServiceMonitor')).toMatchObject({
    selector: { matchLabels: { 'app.kubernetes.io/instance': 'big' } },
    endpoints: [{ path: '/metrics', authorization: { credentials: { name: 'big-secrets', key: 'key' } } }],
  });
  const open = specOf(made({ monitor: { by: 'pods' } }, { change: { secrets: {} } }), 'PodMonitor');
  expect(JSON.stringify(open)).not.toContain('authorization');
  const options = KubernetesOptions.parse({ kind: 'kubernetes', image: 'e:1', monitor: {} });
  expect(kubernetesTarget.refuses({ ...spec, metricsPath: null }, options)).toContain('target.monitor');
});

test('a route leads to the Service of its deployment, and long answers are not cut', () => {
  expect(specOf(made({ httpRoute: { gateway: 'web' } }), 'HTTPRoute')).toMatchObject({
    parentRefs: [{ name: 'web' }],
    rules: [{ backendRefs: [{ name: 'big', port: 8081 }], timeouts: { request: '3600s' } }],
  });
});

test('bounds that are the wrong way round are refused', () => {
  const wrong = { kind: 'kubernetes', autoscale: { min: 3, max: 2, metric: 'a', average: 1 } };
  expect(KubernetesOptions.safeParse(wrong).success).toBe(false);
});

import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { selectorOf } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { PlatformOptions } from './platform-options.ts';

/** What the objects beside a Deployment say of it. */
export interface Served {
  readonly deployment: string;
  readonly replica: number;
  readonly port: number;
  readonly spec: LaunchSpec;
  readonly secret: string;
  /** What its Service is called. */
  readonly service: string;
  /** Labels of its pods. */
  readonly pods: Readonly<Record<string, string>>;
  readonly meta: KubeObject['metadata'];
}

/** Kinds that not every cluster knows, and not everybody may see. */
export const platformKinds = [
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
  { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor' },
  { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
] as const;

/** Every object for the platform, in the order in which they are made. Pure. */
export function platformObjects(served: Served, options: PlatformOptions): KubeObject[] {
  return [
    ...disruptionBudget(served, options),
    ...httpRoute(served, options),
    ...monitor(served, options),
    ...autoscaler(served, options),
  ];
}

/** Why they cannot be; null when they can. */
export function platformRefuses(
  { metricsPath }: LaunchSpec,
  { monitor: wanted }: PlatformOptions,
): string | null {
  return wanted && metricsPath === null
    ? 'target.monitor is of no use, since the engine tells no metrics'
    : null;
}

const nameLabel = 'app.kubernetes.io/name';

/** One for all replicas, since a drain shall not take them all at once: the first has it, and it counts the pods of each. */
function disruptionBudget(
  { replica, meta, pods }: Served,
  { disruptionBudget: wanted }: PlatformOptions,
): KubeObject[] {
  if (!wanted || replica !== 0) return [];
  const matchLabels = { [nameLabel]: pods[nameLabel] ?? '' };
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: meta,
      // A pod that does not serve keeps no node from being emptied.
      spec: { ...wanted, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels } },
    },
  ];
}

function httpRoute({ port, meta, service }: Served, { httpRoute: wanted }: PlatformOptions): KubeObject[] {
  if (!wanted) return [];
  const parent = {
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    name: wanted.gateway,
    ...(wanted.gatewayNamespace === undefined ? {} : { namespace: wanted.gatewayNamespace }),
    ...(wanted.section === undefined ? {} : { sectionName: wanted.section }),
  };
  const rule = {
    matches: [{ path: { type: 'PathPrefix', value: wanted.path } }],
    timeouts: { request: wanted.timeout, backendRequest: wanted.timeout },
    backendRefs: [{ group: '', kind: 'Service', name: service, port, weight: 1 }],
  };
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: meta,
      spec: {
        parentRefs: [parent],
        ...(wanted.host === undefined ? {} : { hostnames: [wanted.host] }),
        rules: [rule],
      },
    },
  ];
}

function monitor(served: Served, { monitor: wanted }: PlatformOptions): KubeObject[] {
  const { deployment, replica, spec, meta, secret, pods } = served;
  if (!wanted || spec.metricsPath === null) return [];
  const end = {
    port: 'http',
    path: spec.metricsPath,
    interval: wanted.interval,
    // An engine that asks for a key asks for it here too, where the key is a file of its own.
    ...(spec.secrets['key'] === undefined || spec.secretKeys?.['key'] !== undefined
      ? {}
      : { authorization: { type: 'Bearer', credentials: { name: secret, key: 'key' } } }),
  };
  const byService = wanted.by === 'service';
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: byService ? 'ServiceMonitor' : 'PodMonitor',
      metadata: { ...meta, labels: { ...wanted.labels, ...meta.labels } },
      spec: {
        selector: { matchLabels: byService ? selectorOf(deployment, replica) : podsOf(pods) },
        ...(byService ? { endpoints: [end] } : { podMetricsEndpoints: [end] }),
      },
    },
  ];
}

/** What else labels them makes them none of ours, and may change. */
function podsOf(pods: Served['pods']): Record<string, string> {
  const known = [nameLabel, 'app.kubernetes.io/instance'];
  return Object.fromEntries(known.map((label) => [label, pods[label] ?? '']));
}

function autoscaler({ meta }: Served, { autoscale: wanted }: PlatformOptions): KubeObject[] {
  if (!wanted) return [];
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: meta.name };
  const { min, max } = wanted;
  if ('metric' in wanted) {
    const { metric, average } = wanted;
    const pods = {
      metric: { name: metric },
      target: { type: 'AverageValue', averageValue: amount(average) },
    };
    return [
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: meta,
        spec: {
          scaleTargetRef: target,
          minReplicas: min,
          maxReplicas: max,
          metrics: [{ type: 'Pods', pods }],
        },
      },
    ];
  }
  const { prometheus, query, threshold, cooldown, polling } = wanted;
  const trigger = { serverAddress: prometheus, query, threshold: String(threshold) };
  return [
    {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: meta,
      spec: {
        scaleTargetRef: target,
        minReplicaCount: min,
        maxReplicaCount: max,
        pollingInterval: polling,
        cooldownPeriod: cooldown,
        triggers: [{ type: 'prometheus', metadata: trigger }],
      },
    },
  ];
}

/** As the server writes it back, which has no fractions but thousandths. */
function amount(value: number): string {
  return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
}

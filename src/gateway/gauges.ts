import type { MetricFamily, Sample } from '../stats/prometheus.ts';
import { healthState } from './health.ts';
import { policyFamilies } from './policy-families.ts';
import type { GatewayState } from './state.ts';

/** What is so at this moment, read when it is asked for. */
export function gaugeFamilies(state: GatewayState): MetricFamily[] {
  const { deployments, instances } = state.snapshot;
  const now = state.now();
  const each = [...instances.values()].map((instance) => ({
    instance,
    labels: { deployment: instance.upstream.deployment, upstream: instance.id },
  }));
  return [
    gauge(
      'queue_depth',
      'Requests that wait for a slot.',
      [...deployments.values()].map((one) => ({ labels: { deployment: one.name }, value: one.waiting })),
    ),
    gauge(
      'inflight',
      'Requests under way at an instance.',
      each.map(({ instance, labels }) => ({ labels, value: instance.inflight })),
    ),
    gauge(
      'slots',
      'Requests that an instance serves at once, where known.',
      each.flatMap(({ instance, labels }) =>
        instance.upstream.slots === null ? [] : [{ labels, value: instance.upstream.slots }],
      ),
    ),
    gauge(
      'breaker_state',
      '0: healthy; 1: being tried again; 2: ejected.',
      each.map(({ instance, labels }) => ({
        labels,
        value: breakerLevel[healthState(instance.health, now)],
      })),
    ),
    gauge('body_bytes', 'Request bodies held in memory.', [{ labels: {}, value: state.held.total }]),
    ...policyFamilies(state.snapshot.balancers),
  ];
}

const breakerLevel = { healthy: 0, 'probe-due': 1, probing: 1, ejected: 2 } as const;

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { kind: 'gauge', name: `berth_gateway_${name}`, help, samples };
}

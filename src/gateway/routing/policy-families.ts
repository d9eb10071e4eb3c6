import type { MetricFamily } from '../../stats/prometheus.ts';
import type { Balancers } from './balancers.ts';

/** What the policies have counted and how much they remember; a route or deployment without a policy of its own has none. */
export function policyFamilies(balancers: Balancers): MetricFamily[] {
  const each = balancers.all().map(({ route, deployment, kind, choice }) => ({
    balancer: choice.balancer,
    labels: { route: route ?? '', deployment, policy: kind },
  }));
  return [
    {
      kind: 'counter',
      name: 'berth_gateway_policy_events_total',
      help: 'What a policy came upon when it chose an instance; from 0 again when its options change.',
      samples: each.flatMap(({ balancer, labels }) =>
        Object.entries(balancer.counts?.() ?? {}).map(([event, value]) => ({
          labels: { ...labels, event },
          value,
        })),
      ),
    },
    {
      kind: 'gauge',
      name: 'berth_gateway_policy_entries',
      help: 'Beginnings of prompts that a policy remembers.',
      samples: each.flatMap(({ balancer, labels }) =>
        balancer.entries ? [{ labels, value: balancer.entries() }] : [],
      ),
    },
  ];
}

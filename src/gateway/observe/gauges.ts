import type { MetricFamily, Sample } from '../../stats/prometheus.ts';
import { demandStates } from '../../domain/on-demand.ts';
import type { Deployment } from '../routing/deployment.ts';
import { shownHealth } from '../routing/health.ts';
import type { Observer } from './observer.ts';
import { limitsTime } from '../limits/state.ts';
import { limitFamilies, roomFamilies } from '../limits/limit-families.ts';
import { processFamilies } from './process-families.ts';
import { policyFamilies } from '../routing/policy-families.ts';
import type { GatewayState } from '../state.ts';

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
      waitingFor([...deployments.values(), ...state.deserted]),
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
    ...roomFamilies([...instances.values()], now),
    ...limitFamilies(state.snapshot.limits, state.snapshot.limitsState, {
      wallMs: limitsTime(state.snapshot.limitsState, state.wallMs()),
      others: state.together.others,
    }),
    gauge(
      'breaker_state',
      '0: healthy; 1: being tried again; 2: left out, or away and the last one there is.',
      each.map(({ instance, labels }) => ({
        labels,
        value: breakerLevel[shownHealth(instance.health, now)],
      })),
    ),
    state.keyRefusals.family(),
    ...demandFamilies(state),
    gauge('body_bytes', 'Request bodies held in memory.', [{ labels: {}, value: state.held.total }]),
    {
      kind: 'counter',
      name: 'berth_gateway_log_lines_lost_total',
      help: 'Lines of the access log that could not be written.',
      samples: [{ labels: {}, value: state.observer.lostLines() }],
    },
    ...tracingFamilies(state.observer),
    ...processFamilies(),
    ...policyFamilies(state.snapshot.balancers),
    ...state.shadows.families(),
    ...state.units.families(),
  ];
}

/** By name: those that a reload has taken away may still be waited for beside one of the same name. */
function waitingFor(deployments: readonly Deployment[]): Sample[] {
  const byName = new Map<string, number>();
  for (const { name, waiting } of deployments) byName.set(name, (byName.get(name) ?? 0) + waiting);
  return [...byName].map(([deployment, value]) => ({ labels: { deployment }, value }));
}

/** Nothing of fleets that have no models on demand. */
function demandFamilies({ demands }: GatewayState): MetricFamily[] {
  const { list } = demands;
  if (list.length === 0) return [];
  const states = list.flatMap((demand) =>
    demandStates.map((state) => ({
      labels: { deployment: demand.deployment.name, state },
      value: demand.state === state ? 1 : 0,
    })),
  );
  const loads = list.flatMap(({ counts, deployment: { name } }) =>
    (['loaded', 'failed', 'unloaded'] as const).map((outcome) => ({
      labels: { deployment: name, outcome },
      value: counts[outcome],
    })),
  );
  return [
    gauge('model_state', 'State of a model on demand: 1 for the one it is in.', states),
    {
      kind: 'counter',
      name: 'berth_gateway_model_loads_total',
      help: 'Loads and unloads of models on demand, by what came of them.',
      samples: loads,
    },
  ];
}

const breakerLevel = { healthy: 0, loading: 0, 'probe-due': 1, probing: 1, ejected: 2 } as const;

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { kind: 'gauge', name: `berth_gateway_${name}`, help, samples };
}

function tracingFamilies({ spans }: Observer): MetricFamily[] {
  const counts = spans();
  if (!counts) return [];
  return [
    {
      kind: 'counter',
      name: 'berth_gateway_trace_spans_total',
      help: 'Spans that the collector took, or that were dropped since it did not.',
      samples: [
        { labels: { result: 'exported' }, value: counts.exported },
        { labels: { result: 'dropped' }, value: counts.dropped },
      ],
    },
  ];
}

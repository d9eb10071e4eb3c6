import type { MetricFamily, Sample } from '../../stats/prometheus.ts';
import type { Instance } from '../routing/instance.ts';
import { countOf } from './book.ts';
import type { Bound } from './bounds.ts';
import type { Limits } from './limits.ts';
import type { LimitsState } from './state.ts';
import { carryOf, usedOf } from './window.ts';

/** Series of one family; the rest is left out. */
const maxSeries = 1000;

/** What callers may still take, and whether gateways count together, at this moment. */
export function limitFamilies(
  limits: Limits | null,
  state: LimitsState,
  { wallMs, others }: { wallMs: number; others: number },
): MetricFamily[] {
  const bounds = new Map<string, Bound>();
  for (const { bounds: own } of limits?.subjects() ?? [])
    for (const bound of own)
      if (Number.isFinite(bound.limit) && !bounds.has(bound.id)) bounds.set(bound.id, bound);
  const remaining: Sample[] = [];
  const budgets: Sample[] = [];
  for (const bound of [...bounds.values()].slice(0, maxSeries)) {
    const { limit, name, scope, unit, window } = bound;
    const used = usedOf(countOf(state.memory.book, bound, wallMs), carryOf(window, wallMs));
    const value = Math.max(0, limit - used);
    if (window === 'minute') remaining.push({ labels: { scope, name, unit }, value: Math.floor(value) });
    else budgets.push({ labels: { scope, name, window, unit }, value });
  }
  return [
    gauge(
      'ratelimit_remaining',
      'What may still be taken of a limit per minute, as counted here.',
      remaining,
    ),
    gauge('budget_remaining', 'What may still be spent of a budget, as counted here.', budgets),
    ...sharedFamilies(state, others),
  ];
}

/** What each instance can take, and what its engine told of itself lately; what is not known is left out. */
export function roomFamilies(instances: readonly Instance[], now: number): MetricFamily[] {
  function each(of: (instance: Instance) => Record<string, number | null | undefined>): Sample[] {
    return instances.flatMap((instance) =>
      Object.entries(of(instance)).flatMap(([kind, value]) => {
        const labels = { deployment: instance.upstream.deployment, upstream: instance.id, kind };
        return value === null || value === undefined ? [] : [{ labels, value }];
      }),
    );
  }
  return [
    gauge(
      'limit',
      'What bounds an instance now: requests at once (slots; adaptive: as its gauges have it), tokens in its cache, requests per second.',
      each(({ room }) => ({
        slots: room.slots,
        adaptive: room.adaptiveLimit,
        kv_tokens: room.kvLimit,
        rps: room.pace?.perSecond,
      })),
    ),
    gauge(
      'kv_tokens_held',
      'Tokens of its cache that requests under way will probably take.',
      each(({ room }) => ({ estimate: room.kvLimit === null ? null : room.kvHeld })),
    ),
    gauge(
      'engine_requests',
      'Requests that an engine itself counts: those it runs, and those that wait in it.',
      each(({ room }) => {
        const reading = room.reading(now);
        return { running: reading?.running, waiting: reading?.waiting };
      }),
    ),
  ];
}

function sharedFamilies({ shared }: LimitsState, others: number): MetricFamily[] {
  if (!shared) return [];
  return [
    gauge(
      'shared_gateways',
      'Gateways that were there when the shared store was last asked, this one among them.',
      [{ labels: {}, value: others + 1 }],
    ),
    gauge('shared_limits_up', '1: limits are counted together with other gateways; 0: here alone.', [
      { labels: {}, value: shared.up() ? 1 : 0 },
    ]),
    {
      kind: 'counter',
      name: 'berth_gateway_shared_limits_fallbacks_total',
      help: 'Times that the shared store of limits could not be asked or told.',
      samples: [{ labels: {}, value: shared.fallbacks() }],
    },
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { kind: 'gauge', name: `berth_gateway_${name}`, help, samples };
}

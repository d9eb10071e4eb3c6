import type { Log } from '../../io/log.ts';
import type { MetricFamily } from '../../stats/prometheus.ts';
import { counters } from '../../stats/vectors.ts';
import type { Instance } from '../routing/instance.ts';

/**
 * What engines said to berth's own key: a client's never reaches them, so that a 401 or 403 of theirs is for the operator.
 */
export interface KeyRefusals {
  /** Counts it, and tells it in the log, once for each key. */
  readonly note: (instance: Instance, status: number) => void;
  readonly family: () => MetricFamily;
}

/** An engine means the key by these. */
export function refusesKey(status: number): boolean {
  return status === 401 || status === 403;
}

export function createKeyRefusals(log: Log): KeyRefusals {
  const refusals = counters({
    name: 'berth_gateway_upstream_key_refusals_total',
    help: "Replies of engines that refused the gateway's own key.",
    labels: ['deployment', 'upstream'],
    maxSeries: 1000,
  });
  /** The key that the log has told of, by engine; null: none was sent. */
  const told = new WeakMap<Instance, string | null>();
  return {
    note: (instance, status) => {
      const { id, upstream, key } = instance;
      refusals.at(upstream.deployment, id).value += 1;
      if (told.get(instance) === key) return;
      told.set(instance, key);
      const message =
        key === null
          ? 'An engine wants a key, and the fleet file names none for it.'
          : 'An engine refuses the key that the fleet file names for it.';
      log.error(message, { deployment: upstream.deployment, upstream: id, status });
    },
    family: () => refusals.family(),
  };
}

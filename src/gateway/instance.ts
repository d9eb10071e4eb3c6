import type { Upstream } from '../domain/gateway-config.ts';
import type { UpstreamPool } from '../io/upstream-pool/types.ts';
import { healthy } from './health.ts';
import type { Health } from './health.ts';

/** One engine as the gateway knows it while it runs; kept over a reload as long as it is the same engine. */
export interface Instance {
  readonly id: string;
  upstream: Upstream;
  /** The engine's own key. */
  key: string | null;
  readonly pool: UpstreamPool;
  inflight: number;
  health: Health;
}

export function createInstance(upstream: Upstream, key: string | null, pool: UpstreamPool): Instance {
  return { id: upstream.id, upstream, key, pool, inflight: 0, health: healthy };
}

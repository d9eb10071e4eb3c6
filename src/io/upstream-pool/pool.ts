import { createNetPool } from './net-pool.ts';
import type { Sweep } from './sweep.ts';
import type { PoolOptions, UpstreamPool } from './types.ts';
import { createUndiciPool } from './undici-pool.ts';

/** Connections to the upstream at `url` (http or https; a path in it stands before every request's own path). */
export function createUpstreamPool(url: string, sweep: Sweep, options: PoolOptions): UpstreamPool {
  const base = new URL(url);
  return base.protocol === 'https:' ? createUndiciPool(base, options) : createNetPool(base, sweep, options);
}

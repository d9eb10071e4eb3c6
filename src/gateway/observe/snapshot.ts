import type { GatewayConfig, Upstream } from '../../domain/gateway-config.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Files } from '../../io/files.ts';
import type { Log } from '../../io/log.ts';
import { createUpstreamPool } from '../../io/upstream-pool/pool.ts';
import type { Sweep } from '../../io/upstream-pool/sweep.ts';
import type { PoolTimes, UpstreamPool } from '../../io/upstream-pool/types.ts';
import { buildBalancers } from '../routing/balancers.ts';
import type { Balancers } from '../routing/balancers.ts';
import type { CorsPolicy } from '../front/cors.ts';
import { Deployment } from '../routing/deployment.ts';
import { createInstance, roomOptions } from '../routing/instance.ts';
import type { Instance } from '../routing/instance.ts';
import { createKeyring } from '../accounts/keys.ts';
import type { Keyring } from '../accounts/keys.ts';
import { callerOf } from '../front/caller.ts';
import { createLimits, noQuotas } from '../limits/limits.ts';
import type { Limits } from '../limits/limits.ts';
import { closeReplaced, openLimitsState, putInForce, limitsTime } from '../limits/state.ts';
import type { LimitsState } from '../limits/state.ts';
import { takeoverOf } from '../routing/takeover.ts';
import { buildRoutes } from '../routing/routes.ts';
import type { RouteState } from '../routing/routes.ts';

/** A config made ready to serve. Swapped whole; a request that began under the old one ends under it. */
export interface Snapshot {
  readonly config: GatewayConfig;
  readonly routes: ReadonlyMap<string, RouteState>;
  readonly deployments: ReadonlyMap<string, Deployment>;
  readonly balancers: Balancers;
  readonly instances: ReadonlyMap<string, Instance>;
  readonly keyring: Keyring;
  readonly cors: CorsPolicy;
  /** Names that it answers to beside those of loopback; null: any. */
  readonly hosts: ReadonlySet<string> | null;
  /** What callers may take; null: nothing is bounded. */
  readonly limits: Limits | null;
  readonly limitsState: LimitsState;
  /** Somebody wants to know how long an answer may be: limits of callers, or what an engine's cache holds. */
  readonly readsMaxTokens: boolean;
  /** Some model has limits of its own, or a price. */
  readonly boundsModels: boolean;
  /** Seconds since 1970, for `created` in the list of models. */
  readonly since: number;
}

export interface SnapshotContext {
  readonly files: Files;
  readonly log: Log;
  readonly sweep: Sweep;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/**
 * Instances and deployments that stay the same are taken over from `previous` with their connections, counts and
 * queues; the others' connections end when idle. Throws FILE_MISSING for a key file that is not there, before anything
 * has changed.
 */
export async function buildSnapshot(
  config: GatewayConfig,
  previous: Snapshot | null,
  context: SnapshotContext,
): Promise<Snapshot> {
  const keys = await readBeside(config.upstreams, context.files, 'keyFile');
  const authorities = await readBeside(config.upstreams, context.files, 'caFile');
  const besides = new Map(
    config.upstreams.map(({ id }) => [
      id,
      { key: keys.get(id)?.trim() ?? null, ca: authorities.get(id) ?? null },
    ]),
  );
  const before = previous?.limitsState ?? null;
  const limitsState = await openLimitsState(config, before, context);
  try {
    const made = makeSnapshot({ config, besides, previous, context, limitsState });
    putInForce(limitsState, before, context.wallMs());
    return made;
  } catch (error) {
    closeReplaced(limitsState, before);
    throw error;
  }
}

interface Making {
  readonly config: GatewayConfig;
  readonly besides: ReadonlyMap<string, Beside>;
  readonly previous: Snapshot | null;
  readonly context: SnapshotContext;
  readonly limitsState: LimitsState;
}

/** Throws before it has changed anything. */
function makeSnapshot({ config, besides, previous, context, limitsState }: Making): Snapshot {
  const newPools = openPools(config, besides, previous, context.sweep);
  const instances = new Map(
    config.upstreams.map((upstream) => {
      const beside = besides.get(upstream.id) as Beside;
      const instance = instanceOf(upstream, beside, newPools.get(upstream.id), previous, context.sweep.now());
      instance.pool.limit(timesOf(config));
      return [upstream.id, instance];
    }),
  );
  const deployments = buildDeployments(config, instances, previous, context.sweep);
  const balancers = buildBalancers(config, previous?.balancers ?? null);
  for (const old of previous?.instances.values() ?? []) if (instances.get(old.id) !== old) old.pool.retire();
  const limits = limitsOf(config, limitsState, context);
  return {
    config,
    routes: buildRoutes(config, deployments, balancers),
    deployments,
    balancers,
    instances,
    cors: { origins: new Set(config.corsOrigins), anonymous: config.anonymous },
    hosts: config.hosts ? new Set(config.hosts) : null,
    keyring: createKeyring({
      keys: config.keys,
      anonymous: config.anonymous,
      clientNames: config.tls?.clientNames,
      wallMs: context.wallMs,
    }),
    limits,
    limitsState,
    readsMaxTokens: limits !== null || config.upstreams.some(mayCountTokens),
    boundsModels: hasBounds(config),
    since: Math.floor(context.wallMs() / 1000),
  };
}

function hasBounds({ quotas }: GatewayConfig): boolean {
  return Object.keys({ ...quotas?.models, ...quotas?.prices }).length > 0;
}

/** Its cache is bounded by the file, or by what it tells of itself. */
function mayCountTokens({ limits, metricsPath }: Upstream): boolean {
  return limits?.kvTokens !== undefined || metricsPath !== null;
}

function limitsOf(config: GatewayConfig, state: LimitsState, context: SnapshotContext): Limits | null {
  if (!config.quotas && !config.keys.some((key) => key.limits)) return null;
  return createLimits(
    config.quotas ?? noQuotas,
    {
      memory: state.memory,
      wallMs: () => limitsTime(state, context.wallMs()),
      now: context.sweep.exact,
      random: Math.random,
      shared: state.shared,
    },
    config.keys.map(callerOf),
  );
}

/** What stands in the files that upstreams name, by the upstream's id. */
async function readBeside(
  upstreams: readonly Upstream[],
  files: Files,
  which: 'keyFile' | 'caFile',
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const upstream of upstreams) {
    const path = upstream[which] ?? null;
    if (path === null) continue;
    const text = await files.read(path);
    if (text === null)
      throw new BerthError('FILE_MISSING', { path, what: `${nameOf[which]} of ${upstream.id}` });
    texts.set(upstream.id, text);
  }
  return texts;
}

const nameOf = { keyFile: 'key file', caFile: 'file of authorities' } as const;

/** What an upstream's files say. */
interface Beside {
  readonly key: string | null;
  readonly ca: string | null;
}

/** The instance that `upstream` had before: the same address is the same engine. */
function known({ id, url }: Upstream, previous: Snapshot | null): Instance | null {
  const kept = previous?.instances.get(id);
  if (!kept || kept.upstream.url !== url) return null;
  return kept;
}

/** Connections for those that have none, or that trust other authorities than before. Changes nothing else, as it may throw. */
function openPools(
  config: GatewayConfig,
  besides: ReadonlyMap<string, Beside>,
  previous: Snapshot | null,
  sweep: Sweep,
): Map<string, UpstreamPool> {
  const pools = new Map<string, UpstreamPool>();
  try {
    for (const upstream of config.upstreams) {
      const ca = besides.get(upstream.id)?.ca ?? null;
      const kept = known(upstream, previous);
      if (kept && kept.ca === ca) continue;
      const options = { ...timesOf(config), ...(ca === null ? {} : { ca }) };
      pools.set(upstream.id, createUpstreamPool(upstream.url, sweep, options));
    }
  } catch (error) {
    for (const pool of pools.values()) pool.retire();
    throw error;
  }
  return pools;
}

function timesOf({ limits }: GatewayConfig): PoolTimes {
  const { connectMs, idleMs, firstByteMs } = limits;
  return { connectMs, idleMs, firstByteMs };
}

/** A known one keeps its counts and health; its slots, names, paths and authorities may have changed. */
function instanceOf(
  upstream: Upstream,
  { key, ca }: Beside,
  pool: UpstreamPool | undefined,
  previous: Snapshot | null,
  now: number,
): Instance {
  const kept = known(upstream, previous);
  if (!kept) return createInstance(upstream, { key, ca }, pool as UpstreamPool, now);
  if (pool) {
    kept.pool.retire();
    kept.pool = pool;
    kept.ca = ca;
  }
  kept.upstream = upstream;
  kept.key = key;
  kept.room.configure(roomOptions(upstream), now);
  return kept;
}

function buildDeployments(
  config: GatewayConfig,
  instances: ReadonlyMap<string, Instance>,
  previous: Snapshot | null,
  sweep: Sweep,
): Map<string, Deployment> {
  const named = config.routes.flatMap((route) => route.to.map((arm) => arm.deployment));
  const names = new Set([...named, ...config.upstreams.map((upstream) => upstream.deployment)]);
  const deployments = new Map<string, Deployment>();
  for (const name of names) {
    const deployment = previous?.deployments.get(name) ?? new Deployment(name, config.limits, sweep.now);
    deployment.limits = config.limits;
    deployment.stoppedByHand = config.stoppedByHand?.includes(name) ?? false;
    deployment.instances = [...instances.values()].filter(
      (instance) => instance.upstream.deployment === name,
    );
    deployment.takeover = takeoverOf(deployment.instances, deployment.takeover);
    deployments.set(name, deployment);
    deployment.dispatch();
  }
  return deployments;
}

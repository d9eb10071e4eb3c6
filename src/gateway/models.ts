import type { Deployment } from './deployment.ts';
import { healthState } from './health.ts';
import type { RouteState, Snapshot } from './snapshot.ts';

/** One entry of /v1/models: OpenAI's fields, then berth's own. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  /** "ready": some instance answers; "unavailable": none can be reached. */
  readonly status: 'ready' | 'unavailable';
  /** The name this one stands for; null for a name of its own. */
  readonly alias_of: string | null;
}

export function modelList(snapshot: Snapshot, now: number): { object: 'list'; data: ModelEntry[] } {
  return {
    object: 'list',
    data: [...snapshot.routes.values()].map((route) => modelEntry(snapshot, route, now)),
  };
}

export function modelEntry(snapshot: Snapshot, route: RouteState, now: number): ModelEntry {
  return {
    id: route.name,
    object: 'model',
    created: snapshot.since,
    owned_by: snapshot.config.fleet,
    status: route.arms.some((arm) => isReachable(arm.deployment, now)) ? 'ready' : 'unavailable',
    alias_of: route.aliasOf,
  };
}

/** Some instance answered when last tried, or has not been tried yet. */
export function isReachable(deployment: Deployment, now: number): boolean {
  return deployment.instances.some(({ health }) => healthState(health, now) === 'healthy' && !health.away);
}

import { mayAskFor } from './front/caller.ts';
import type { Caller } from './front/caller.ts';
import type { DemandState } from '../domain/on-demand.ts';
import type { Deployment } from './routing/deployment.ts';
import { endpointAt } from './front/endpoints.ts';
import { pathsOf } from './upstream/engine-paths.ts';
import { modelForbidden, modelUnknown } from './reply/faults.ts';
import { healthState } from './routing/health.ts';
import type { Health } from './routing/health.ts';
import { bestFirst, ownState } from './routing/own-models.ts';
import { isDraining } from './routing/instance.ts';
import type { RouteState } from './routing/routes.ts';
import type { Snapshot } from './observe/snapshot.ts';

/** One entry of /v1/models: OpenAI's fields, then berth's own. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  /**
   * "ready": some instance answers; "loading": not yet, or it is being replaced; "unavailable": none can be reached; else
   * how far a model on demand is, or one that its server loads itself.
   */
  readonly status: 'unavailable' | DemandState;
  /** The name this one stands for; null for a name of its own. */
  readonly alias_of: string | null;
  /** Other names for it. */
  readonly aliases: readonly string[];
  /** Tokens that one request may take, prompt and answer together; null when not known. */
  readonly context_length: number | null;
  /** Paths that one of its engines answers; null when only the server itself can tell. */
  readonly endpoints: readonly string[] | null;
}

/** What the caller may ask for, and nothing else. */
export function modelList(
  snapshot: Snapshot,
  caller: Caller,
  now: number,
): { object: 'list'; data: ModelEntry[] } {
  return {
    object: 'list',
    data: routesFor(snapshot, caller).map((route) => modelEntry(snapshot, route, now)),
  };
}

/** The route of a name that the caller may ask for. Throws ApiError 404 or 403, neither of which names what others may use. */
export function routeFor(snapshot: Snapshot, caller: Caller, model: string): RouteState {
  const route = snapshot.routes.get(model);
  if (!route) throw modelUnknown(model, namesFor(snapshot, caller));
  if (!mayAskFor(caller, route)) throw modelForbidden(model, namesFor(snapshot, caller));
  return route;
}

function namesFor(snapshot: Snapshot, caller: Caller): string[] {
  return routesFor(snapshot, caller).map((route) => route.name);
}

/** What the caller may ask for by name. */
export function routesFor(snapshot: Snapshot, caller: Caller): RouteState[] {
  return [...snapshot.routes.values()].filter((route) => mayAskFor(caller, route));
}

export function modelEntry(snapshot: Snapshot, route: RouteState, now: number): ModelEntry {
  return {
    id: route.name,
    object: 'model',
    created: snapshot.since,
    owned_by: snapshot.config.fleet,
    status: statusOf(route, now),
    alias_of: route.aliasOf,
    aliases: [...snapshot.routes.values()]
      .filter((one) => one.aliasOf === route.name)
      .map(({ name }) => name),
    context_length: route.context,
    endpoints: endpointsOf(route),
  };
}

function endpointsOf({ arms }: RouteState): string[] | null {
  const known = arms.flatMap(({ deployment }) => pathsOf(deployment));
  if (known.length === 0 || known.some((paths) => paths.length === 0)) return null;
  const paths = new Set(known.flat());
  return [...endpointAt.keys()].filter((path) => paths.has(path));
}

/** The best that one of its deployments is. */
function statusOf(route: RouteState, now: number): ModelEntry['status'] {
  const states = route.arms.map(({ deployment }): ModelEntry['status'] => {
    const { demand } = deployment;
    if (demand && demand.state !== 'ready') return demand.state;
    if (!deployment.held && isReachable(deployment, now))
      return ownState(deployment, route.aliasOf ?? route.name) ?? 'ready';
    if (deployment.held || deployment.instances.some(({ health }) => health.loading)) return 'loading';
    return 'unavailable';
  });
  return bestFirst.find((state) => states.includes(state)) ?? 'unavailable';
}

/** Some instance answered when last tried, or has not been tried yet; or one can be loaded. */
export function isReachable(deployment: Deployment, now: number): boolean {
  return someServes(deployment, now, ({ away }) => !away);
}

/** The same, or it is time to see whether one that did not answer does by now. */
export function isWorthTrying(deployment: Deployment, now: number): boolean {
  return someServes(deployment, now, ({ away, awayUntil }) => !away || now >= awayUntil);
}

function someServes(deployment: Deployment, now: number, isThere: (health: Health) => boolean): boolean {
  if (deployment.demand && deployment.demand.state !== 'ready') return deployment.demand.reachable;
  return deployment.instances.some((instance) => {
    const state = healthState(instance.health, now);
    const mayServe = state === 'healthy' || state === 'probe-due' || state === 'probing';
    return mayServe && isThere(instance.health) && !isDraining(instance, now);
  });
}

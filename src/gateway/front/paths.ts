import type { Endpoint } from '../../domain/endpoints.ts';
import type { Call } from './call.ts';
import type { Deployment } from '../routing/deployment.ts';
import { endpointMissing } from './endpoints.ts';
import { withoutKeys, withoutModel } from '../upstream/client-query.ts';
import { pathsOf } from '../upstream/engine-paths.ts';
import { routesFor } from '../models.ts';
import type { Instance } from '../routing/instance.ts';
import type { RouteState } from '../routing/routes.ts';
import type { Snapshot } from '../observe/snapshot.ts';

/** An engine whose paths are not known (empty) is taken to have what it is asked for: its own answer will tell. */
function pathAmong(paths: readonly string[], endpoint: Endpoint): string | null {
  if (paths.length === 0 || paths.includes(endpoint.path)) return endpoint.path;
  return endpoint.same.find((path) => paths.includes(path)) ?? null;
}

/** Replicas are alike, so that one that has it speaks for all. A deployment without engines may turn out to have anything. */
function has({ instances, demand }: Deployment, endpoint: Endpoint): boolean {
  if (instances.length === 0) return !demand || pathAmong(demand.model.paths, endpoint) !== null;
  return instances.some(({ upstream }) => pathAmong(upstream.paths, endpoint) !== null);
}

/** The arms whose engines have the endpoint. Throws ApiError 501. */
export function armsFor(
  snapshot: Snapshot,
  { caller, endpoint, exact }: Call,
  route: RouteState,
): RouteState['arms'] {
  if (exact || route.arms.every(({ deployment }) => has(deployment, endpoint))) return route.arms;
  const arms = route.arms.filter(({ deployment }) => has(deployment, endpoint));
  if (arms.length > 0) return arms;
  throw endpointMissing(route.name, endpoint.path, othersFor(routesFor(snapshot, caller), endpoint));
}

/** Names of the deployments behind these routes that have an endpoint for certain, and of those that may have it. */
function othersFor(
  routes: readonly RouteState[],
  endpoint: Endpoint,
): { certain: string[]; possible: string[] } {
  const deployments = new Set(routes.flatMap(({ arms }) => arms.map(({ deployment }) => deployment)));
  const having = [...deployments].filter((deployment) => has(deployment, endpoint));
  const [certain, possible] = [having.filter(isCertain), having.filter((one) => !isCertain(one))];
  return { certain: certain.map(({ name }) => name), possible: possible.map(({ name }) => name) };

  function isCertain(deployment: Deployment): boolean {
    return pathsOf(deployment).some((paths) => paths.length > 0 && pathAmong(paths, endpoint) !== null);
  }
}

/**
 * Path and query for this engine: the client's own, but for its keys, for a model in the query of a request whose body names one, and for
 * the path where the engine has the endpoint under another name.
 */
export function targetAt(instance: Instance, call: Call): string {
  return withoutKeys(wholeTarget(instance, call), call.inbound);
}

function wholeTarget(instance: Instance, { inbound, endpoint, exact }: Call): string {
  if (exact) return exact.target;
  const path = pathAmong(instance.upstream.paths, endpoint) ?? endpoint.path;
  return withoutModel(path === endpoint.path ? inbound.url : path + inbound.url.slice(endpoint.path.length));
}

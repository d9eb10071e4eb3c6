import type { Deployment } from '../routing/deployment.ts';
import type { RouteState } from '../routing/routes.ts';
import type { Reached } from './upstream-rights.ts';

/** Endpoint paths of each engine of a deployment, none where they are not known; of one on demand that does not run, as they will be. */
export function pathsOf({ instances, demand }: Deployment): readonly (readonly string[])[] {
  if (instances.length === 0 && demand) return [demand.model.paths];
  return instances.map(({ upstream }) => upstream.paths);
}

/** The engines that a request for this route may reach, by a fallback too; of those on demand that do not run, as they will be. */
export function enginesOf(route: RouteState, routes: ReadonlyMap<string, RouteState>): Reached[] {
  const others = (route.fallback?.to ?? []).flatMap((name) => routes.get(name) ?? []);
  return [route, ...others].flatMap(({ arms }) => arms.flatMap(({ deployment }) => enginesAt(deployment)));
}

function enginesAt({ instances, demand }: Deployment): Reached[] {
  if (instances.length > 0) return instances.map(({ upstream }) => upstream);
  return [demand?.model ?? {}];
}

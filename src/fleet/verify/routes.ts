import type { FleetStatus } from '../../domain/fleet-status.ts';
import type { Route } from '../../domain/gateway-config.ts';
import type { Check } from '../../domain/verification.ts';
import { enginePaths } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { askToken } from '../apply/ask-token.ts';
import { replicaName } from '../plan/desired.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { check } from './check.ts';
import type { Found } from './check.ts';
import type { Door, VerifyOptions } from './options.ts';

export interface RouteContext {
  readonly loaded: LoadedFleet;
  readonly chosen: readonly Deployment[];
  readonly status: FleetStatus;
  readonly door: Door | null;
  readonly options: VerifyOptions;
}

/** Every name that leads to one of the deployments, asked for one token through the gateway. */
export async function routeChecks(world: World, context: RouteContext): Promise<Check[]> {
  const { chosen, status } = context;
  const routes = status.routes.flatMap((route) => {
    const first = chosen.find((one) => route.to.some((to) => to.deployment === one.name));
    return first ? [{ route, deployment: first }] : [];
  });
  const checks: Check[] = [];
  for (const { route, deployment } of routes) {
    const told = check({ deployment: deployment.name, replica: null });
    checks.push(told('route', await routeFound(world, context, { route, deployment })));
  }
  return checks;
}

async function routeFound(
  world: World,
  { loaded, status, door, options }: RouteContext,
  { route, deployment }: { route: Route; deployment: Deployment },
): Promise<Found> {
  const at = `route ${route.name}`;
  if (door === null)
    return { at, fault: 'no gateway runs', seen: '', cure: '"berth up" opens it; --direct leaves it out.' };
  const loads = route.to.every((to) => isUnloaded(status, to.deployment));
  if (loads && !options.names.some((name) => route.to.some((to) => to.deployment === name)))
    return { at, skipped: 'would load a model that is on demand; name the deployment to have it asked' };
  const began = world.clock.now();
  const { fault, path, headers } = await askToken(world.http, {
    ...options,
    url: door.url,
    headers: { authorization: `Bearer ${door.token}` },
    model: route.name,
    paths: enginePaths(deployment.engine),
  });
  const cure = 'See "berth status", and "berth logs gateway".';
  if (fault !== null) return { at: `${at} (${path})`, fault, seen: '', cure };
  const by = String(headers['x-berth-upstream'] ?? '');
  const meant = loaded.deployments.filter((one) => route.to.some((to) => to.deployment === one.name));
  const known = meant.flatMap((one) =>
    Array.from({ length: one.replicas }, (_, replica) => replicaName(one.name, replica, one.replicas)),
  );
  const ms = Math.round(world.clock.now() - began);
  return {
    at: `${at} (${path})`,
    fault: known.includes(by)
      ? null
      : `was answered by ${by || 'nobody who is named'}, in place of ${known.join(', ')}`,
    seen: `answered by ${by} in ${ms} ms`,
    cure,
  };
}

function isUnloaded(status: FleetStatus, name: string): boolean {
  const replicas = status.deployments.find((one) => one.name === name)?.replicas ?? [];
  return replicas.length > 0 && replicas.every((one) => one.state === 'unloaded' || one.state === 'fetching');
}

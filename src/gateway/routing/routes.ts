import type { GatewayConfig, Route } from '../../domain/gateway-config.ts';
import { hashText } from '../../domain/hashing.ts';
import type { Priority } from '../../domain/key-limits.ts';
import type { StickyBy } from '../../domain/sticky-by.ts';
import type { Choice } from './balance.ts';
import type { Balancers } from './balancers.ts';
import type { Deployment } from './deployment.ts';
import { fallbackPlan } from './fallback.ts';
import type { FallbackPlan } from './fallback.ts';

/** Names the deployment that served, where a request could have gone to several. */
export const deploymentHeader = 'x-berth-deployment';

/** One of the deployments behind a route. */
export interface RouteArm {
  readonly deployment: Deployment;
  readonly weight: number;
  /** How a request that says nothing of itself chooses among its instances. */
  readonly choice: Choice;
  /** Response headers that say which arm served; none where there is but one. */
  readonly told: readonly string[];
}

/** Where a route's requests are copied to. */
export interface ShadowPlan {
  readonly deployment: Deployment;
  readonly choice: Choice;
  /** Of a hundred requests, by chance. */
  readonly percent: number;
}

/** A model name made ready to serve. */
export interface RouteState {
  readonly name: string;
  readonly aliasOf: string | null;
  /** Replies name it as their model, whatever their engine writes. */
  readonly isNamed: boolean;
  /** Tokens that one request may take; null when not known. */
  readonly context: number | null;
  readonly arms: readonly RouteArm[];
  /** What holds clients to their arm; null: each request is dealt out by itself. */
  readonly split: { readonly by: StickyBy; readonly salt: number } | null;
  /** What an experiment measures of its requests; null: it is none. */
  readonly measure: string | null;
  /** How long its requests may wait for a deployment that is held; undefined: as long as in a queue. */
  readonly holdMs: number | undefined;
  /** Whose requests go first in a queue; undefined: the key decides. */
  readonly priority: Priority | undefined;
  /** Where copies of its requests go; null: nowhere. */
  readonly shadow: ShadowPlan | null;
  /** Who serves what it cannot serve; null: nobody. */
  readonly fallback: FallbackPlan | null;
}

export function buildRoutes(
  config: GatewayConfig,
  deployments: ReadonlyMap<string, Deployment>,
  balancers: Balancers,
): Map<string, RouteState> {
  const byName = new Map(config.routes.map((route) => [route.name, route]));
  return new Map(
    config.routes.map((route) => [
      route.name,
      { ...routeState(route, deployments, balancers), fallback: fallbackPlan(route, byName) },
    ]),
  );
}

function routeState(
  route: Route,
  deployments: ReadonlyMap<string, Deployment>,
  balancers: Balancers,
): Omit<RouteState, 'fallback'> {
  const own = route.aliasOf ?? route.name;
  return {
    name: route.name,
    aliasOf: route.aliasOf,
    isNamed: route.replyModel === 'asked',
    context: route.context ?? null,
    arms: route.to.map(({ deployment, weight }) => ({
      deployment: deployments.get(deployment) as Deployment,
      weight,
      choice: balancers.choice(own, deployment),
      told: route.to.length > 1 ? [deploymentHeader, deployment] : [],
    })),
    holdMs: route.holdMs,
    priority: route.priority,
    shadow: shadowPlan(route, deployments, balancers),
    measure: route.measure ?? null,
    split: route.split ? { by: route.split.by, salt: hashText(route.split.salt ?? own) } : null,
  };
}

function shadowPlan(
  { shadow, name, aliasOf }: Route,
  deployments: ReadonlyMap<string, Deployment>,
  balancers: Balancers,
): ShadowPlan | null {
  const deployment = shadow && deployments.get(shadow.deployment);
  if (!deployment) return null;
  return {
    deployment,
    percent: shadow.percent,
    choice: balancers.choice(aliasOf ?? name, deployment.name),
  };
}

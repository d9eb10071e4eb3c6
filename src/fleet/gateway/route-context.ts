import type { Route } from '../../domain/gateway-config.ts';
import type { Deployment } from '../file/resolve.ts';

/**
 * Routes with the tokens that one request may take: the least of what the deployments behind them say. `context` in an
 * engine's options is always per request; where one says nothing, nothing is known.
 */
export function withContext(routes: readonly Route[], deployments: readonly Deployment[]): Route[] {
  const known = new Map(deployments.map((one) => [one.name, contextOf(one)]));
  return routes.map((route) => {
    const all = route.to.map(({ deployment }) => known.get(deployment) ?? null);
    const context = all.includes(null) ? null : Math.min(...all.map(Number));
    return { ...route, context };
  });
}

function contextOf({ engine }: Deployment): number | null {
  const context = 'context' in engine ? engine.context : null;
  return typeof context === 'number' && context > 0 ? context : null;
}

import type { Route } from '../../domain/gateway-config.ts';
import type { ApiError } from '../../domain/openai.ts';
import type { FallbackCause } from '../../domain/routing.ts';

/** Where a route's requests may go that it cannot serve itself. */
export interface FallbackPlan {
  readonly on: readonly FallbackCause[];
  /** Names of routes in the order they are tried: each is followed by its own. */
  readonly to: readonly string[];
}

/** The whole way that a request of this route may take; null when there is none. Loops end where they close. */
export function fallbackPlan(route: Route, routes: ReadonlyMap<string, Route>): FallbackPlan | null {
  if (!route.fallback) return null;
  const own = route.aliasOf ?? route.name;
  const to: string[] = [];
  function add(names: readonly string[]): void {
    for (const name of names) {
      const found = routes.get(name);
      const main = found?.aliasOf ?? name;
      if (!found || main === own || to.includes(main)) continue;
      to.push(main);
      add(found.fallback?.to ?? []);
    }
  }
  add(route.fallback.to);
  return { on: route.fallback.on, to };
}

/**
 * Why a refusal of the gateway's own may be no refusal elsewhere; null for those that would be the same there, and for a reply that took
 * too long to begin: its engine may have computed all that time.
 */
export function causeOf({ fault }: ApiError): FallbackCause | null {
  return causes[fault.code ?? ''] ?? null;
}

const causes: Readonly<Record<string, FallbackCause>> = {
  no_healthy_instance: 'unreachable',
  deployment_stopped: 'unreachable',
  // None of its engines can be asked before an operator has mended it.
  upstream_key_refused: 'unreachable',
  model_load_failed: 'unreachable',
  model_too_large: 'unreachable',
  queue_full: 'full',
  queue_timeout: 'deadline',
  wait_too_long: 'deadline',
  model_loading: 'deadline',
  deployment_held: 'deadline',
};

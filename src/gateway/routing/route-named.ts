import type { Endpoint } from '../../domain/endpoints.ts';
import type { Caller } from '../front/caller.ts';
import { modelMissing } from '../reply/faults.ts';
import { routeFor, routesFor } from '../models.ts';
import type { RouteState } from './routes.ts';
import type { Snapshot } from '../observe/snapshot.ts';

/**
 * The route that a request names, if the caller may ask for it; where the endpoint lets the name be left out, the only
 * one that the caller may ask for. Throws ApiError 400, 403 or 404.
 */
export function routeNamed(
  snapshot: Snapshot,
  caller: Caller,
  asked: { readonly endpoint: Endpoint; readonly model: string | null },
): RouteState {
  if (asked.model !== null) return routeFor(snapshot, caller, asked.model);
  const routes = routesFor(snapshot, caller);
  const [only, ...others] = routes.filter(({ aliasOf }) => aliasOf === null);
  if (asked.endpoint.modelOptional && only && others.length === 0) return only;
  throw modelMissing(routes.map(({ name }) => name));
}

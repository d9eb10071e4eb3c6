import type { Upstream } from '../../domain/gateway-config.ts';
import type { Call } from '../front/call.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { modelAmbiguous, modelNotOffered, modelUnread, noInstance } from '../reply/faults.ts';
import type { Offering } from './offering.ts';
import { upstreamEndpoint } from './upstream-path.ts';

/*
 * What a request computes that goes to an engine as it is. An engine of one model computes with that, whatever is named. Any other
 * computes with what the request names, so that the limits hold of the route by which clients ask for that at this engine; a name that
 * no route has there is refused, since none of its limits are known. Two are not held to that: keys of control, and whoever asks where
 * requests want no key and no model has limits, so that an engine is as open as its own port.
 */

type Judged = Pick<Snapshot, 'config' | 'routes'>;

/** The route whose limits hold for what the engines of `route` compute for this call. Throws ApiError 400 or 403. */
export function computedRoute(snapshot: Judged, call: Call, route: Offering): Offering {
  if (!call.exact || call.endpoint !== upstreamEndpoint) return route;
  const engines = route.arms.flatMap(({ deployment }) =>
    deployment.instances.map(({ upstream }) => upstream),
  );
  // Those that do not run yet are judged when they do.
  if (engines.every(isOfOneModel)) return route;
  const found = meantBy(call, route, (name) => offeredAs(snapshot.routes, { name, engines, route, call }));
  if (found instanceof Error) {
    if (isFree(snapshot, call, engines)) return route;
    throw found;
  }
  return found;
}

/** It was judged for other engines than this one, as where the route has others by now. Throws ApiError 400, 403 or 503. */
export function requireComputed(call: Call, upstream: Upstream, snapshot: Judged): void {
  const { computed } = call;
  if (isOfOneModel(upstream) || computed === null) return;
  const engines = [upstream];
  const found = meantBy(call, computed, (name) =>
    offeredAs(snapshot.routes, { name, engines, route: computed, call }),
  );
  if (isFree(snapshot, call, engines)) return;
  if (found instanceof Error) throw found;
  // Other limits hold for it than those that it has been held to.
  if (baseOf(found) !== baseOf(computed)) throw noInstance({ name: call.model }, 1);
}

/** Name of what it is counted as: the model that it names by a way of its own, else that of its path. */
export function computedName({ computed, model, names }: Call): string {
  return names?.length === 0 ? model : (computed?.name ?? model);
}

function isOfOneModel({ asItIs }: Upstream): boolean {
  return asItIs?.oneModel === true;
}

function isFree({ config }: Judged, { caller }: Call, engines: readonly Upstream[]): boolean {
  if (caller.control) return true;
  const limited = Object.keys(config.quotas?.models ?? {}).length > 0;
  return config.anonymous && !limited && !engines.some(({ lentKey }) => lentKey);
}

/** One route for all names that the request has; the refusal where there is none. */
function meantBy(
  { names, exact }: Call,
  route: Offering,
  offered: (name: string) => Offering | null,
): Offering | Error {
  if (names === null) return modelUnread();
  let meant: Offering | null = null;
  for (const name of names) {
    const found = offered(name);
    if (!found) return modelNotOffered(name, exact?.model ?? '');
    if (meant && baseOf(found) !== baseOf(meant)) return modelAmbiguous(names);
    meant = found;
  }
  return meant ?? route;
}

interface Asked {
  readonly name: string;
  /** At one of which it is computed. */
  readonly engines: readonly Upstream[];
  readonly route: Offering;
  readonly call: Call;
}

/** The route by which clients have these engines compute with the model of that name. */
function offeredAs(
  routes: ReadonlyMap<string, Offering>,
  { name, engines, route, call }: Asked,
): Offering | null {
  const urls = new Set(engines.map(({ url }) => url));
  const there = [route, ...routes.values()].find((one) =>
    one.arms.some(({ deployment }) =>
      deployment.instances.some(
        ({ upstream: { url, model } }) => urls.has(url) && (model ?? one.name) === name,
      ),
    ),
  );
  if (there) return there;
  const own = routes.get(name);
  const asked = routes.get(call.exact?.model ?? '');
  return own && [route, asked].some((one) => one && baseOf(one) === baseOf(own)) ? route : null;
}

function baseOf({ name, aliasOf }: Offering): string {
  return aliasOf ?? name;
}

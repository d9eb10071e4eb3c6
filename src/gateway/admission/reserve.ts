import { ClientGone } from '../front/call.ts';
import type { Call } from '../front/call.ts';
import type { RouteState } from '../routing/routes.ts';
import { computedRoute } from '../upstream/computed-route.ts';
import type { Snapshot } from '../observe/snapshot.ts';

/**
 * Has the call hold what this route takes of its limits, in place of what it held before. Throws ApiError 429, and then
 * nothing is held; 400 or 403 for a model that may not be named there; ClientGone for whoever left while the shared store was asked, since nothing would take it out of a queue.
 */
export function reserve(snapshot: Snapshot, call: Call, route: RouteState): Promise<void> | undefined {
  const { body, caller } = call;
  if (!body) return undefined;
  const computed = computedRoute(snapshot, call, route);
  call.computed = computed;
  if (!snapshot.limits) return undefined;
  call.reservation?.settle(null);
  call.reservation = null;
  const held = snapshot.limits.reserve({
    caller,
    model: computed.aliasOf ?? computed.name,
    arms: computed.arms,
    endpoint: call.countedAs,
    body: body.bytes,
    maxTokens: body.maxTokens,
    answers: body.answers,
  });
  if (held instanceof Promise)
    return held.then((reservation) => {
      call.reservation = reservation;
      if (call.gone) throw new ClientGone();
    });
  call.reservation = held;
  return undefined;
}

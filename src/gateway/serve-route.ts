import { choiceOf } from './balancers.ts';
import type { Call } from './call.ts';
import { cancelled, noInstance } from './faults.ts';
import { forward } from './forward.ts';
import { armsFor } from './paths.ts';
import { armOf } from './resolve.ts';
import type { RouteState } from './routes.ts';
import type { Snapshot } from './snapshot.ts';
import type { GatewayState } from './state.ts';

/** Serves a call whose body has been read by one route: deployment → slot → engine → reply. Throws ApiError, ClientGone. */
export async function serveRoute(
  state: GatewayState,
  snapshot: Snapshot,
  call: Call,
  route: RouteState,
): Promise<void> {
  const arms = armsFor(snapshot, call, route);
  const arm = armOf(arms, route.split, call, { now: state.now(), random: Math.random });
  if (!arm || (arm.deployment.instances.length === 0 && !arm.deployment.demand))
    throw noInstance(route.name, 5);
  const { deployment } = arm;
  call.trail.deployment = deployment.name;
  if (call.trail.cancelled) throw cancelled();
  call.choice = choiceOf(arm.choice, call);
  state.retries.onRequest();
  const waiting = deployment.acquire({
    key: call.key,
    choice: call.choice,
    onWait: (leave) => (call.phase = { leave }),
  });
  const lease = waiting instanceof Promise ? await waiting : waiting;
  call.phase = null;
  call.leasedAt = performance.now();
  call.trail.leasedAt = call.leasedAt;
  call.series.queueWait.observe((call.leasedAt - call.startedAt) / 1000);
  await forward(call, deployment, lease, state);
}

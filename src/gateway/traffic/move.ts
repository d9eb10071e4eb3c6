import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayCommand, Moved } from '../../domain/gateway-control.ts';
import type { TrafficWish, WishAnswer } from '../../domain/traffic-wish.ts';
import type { Sweep } from '../../io/upstream-pool/sweep.ts';
import { leaveDrained } from './closed-lines.ts';
import type { Deployment } from '../routing/deployment.ts';
import { engineNameAmong, engineNameOf } from '../routing/engine-name.ts';
import type { Instance } from '../routing/instance.ts';
import type { GatewayState } from '../state.ts';

/*
 * Requests are moved out of the way of what changes: here at once, then at all gateways that share a store with this one. Where that
 * cannot be reached, it is still done here, and the answer says so.
 */

type Command<Of extends GatewayCommand['do']> = Extract<GatewayCommand, { do: Of }>;

/** What takes back outlives by that much what it takes back, so that nobody is left behind who comes a little late. */
const takenBackMs = 60_000;
/** Of what takes effect at once. */
const atOnce = 0;

/** Throws GATEWAY_NAME_UNKNOWN. */
export function holdAll(state: GatewayState, { deployment, forMs }: Command<'hold'>): Promise<Moved> {
  hold(state, deploymentOf(state, deployment), forMs);
  return state.together.ask({ do: 'hold', deployment }, { forMs, patienceMs: atOnce });
}

/** Throws GATEWAY_NAME_UNKNOWN. */
export function releaseAll(state: GatewayState, { deployment }: Command<'release'>): Promise<Moved> {
  release(deploymentOf(state, deployment));
  return state.together.ask({ do: 'release', deployment }, { forMs: takenBackMs, patienceMs: atOnce });
}

export async function drainAll(state: GatewayState, sweep: Sweep, command: Command<'drain'>): Promise<Moved> {
  const { forMs, graceMs } = command;
  const engine = engineNameAmong(engines(state), command);
  const [left, others] = await Promise.all([
    drain(state, sweep, { engine, graceMs, forMs }),
    state.together.ask({ do: 'drain', engine, graceMs }, { forMs, patienceMs: graceMs }),
  ]);
  return { ...others, left: left + others.left };
}

export function resumeAll(state: GatewayState, command: Command<'resume'>): Promise<Moved> {
  const engine = engineNameAmong(engines(state), command);
  resume(state, engine);
  return state.together.ask({ do: 'resume', engine }, { forMs: takenBackMs, patienceMs: atOnce });
}

/** Throws GATEWAY_NAME_UNKNOWN. */
export function sidesOf(state: GatewayState, { deployment }: Command<'sides'>): Moved {
  return { left: 0, sides: deploymentOf(state, deployment).takeover?.report() ?? null };
}

/** Does what another gateway asks for. A deployment that is not served here need not be held. */
export async function obeyWish(
  state: GatewayState,
  sweep: Sweep,
  { wish, leftMs, id }: { wish: TrafficWish; leftMs: number; id: string },
): Promise<WishAnswer> {
  const { deployments } = state.snapshot;
  switch (wish.do) {
    case 'hold':
    case 'release': {
      const deployment = deployments.get(wish.deployment);
      if (deployment && wish.do === 'hold') hold(state, deployment, leftMs);
      else if (deployment) release(deployment);
      return { left: 0 };
    }
    case 'drain':
      return { left: await drain(state, sweep, { ...wish, forMs: leftMs }) };
    case 'resume':
      resume(state, wish.engine);
      return { left: 0 };
    case 'shift':
      return state.followers.follow(id, { to: wish.to, leftMs });
  }
}

function deploymentOf(state: GatewayState, name: string): Deployment {
  const found = state.snapshot.deployments.get(name);
  if (!found) throw new BerthError('GATEWAY_NAME_UNKNOWN', { name });
  return found;
}

function hold(state: GatewayState, deployment: Deployment, forMs: number): void {
  deployment.heldUntil = state.now() + forMs;
}

function release(deployment: Deployment): void {
  deployment.heldUntil = null;
  deployment.dispatch();
}

function resume(state: GatewayState, engine: string): void {
  for (const one of enginesNamed(state, engine)) one.drainedUntil = null;
  for (const one of state.snapshot.deployments.values()) one.dispatch();
}

function enginesNamed(state: GatewayState, engine: string): Instance[] {
  return engines(state).filter((one) => engineNameOf(one.upstream) === engine);
}

/** Those that a reload has taken away as well, as long as requests are under way there or wait for them. */
function engines({ snapshot, leaving, deserted }: GatewayState): Instance[] {
  const waitedFor = [...deserted].flatMap(({ instances }) => instances);
  return [...new Set([...snapshot.instances.values(), ...leaving, ...waitedFor])];
}

function drain(
  state: GatewayState,
  sweep: Sweep,
  { engine, graceMs, forMs }: { engine: string; graceMs: number; forMs: number },
): Promise<number> {
  const instances = enginesNamed(state, engine);
  const began = sweep.exact();
  for (const one of instances) one.drainedUntil = began + forMs;
  leaveDrained(state, began);
  for (const deployment of state.snapshot.deployments.values())
    for (const one of instances) deployment.sendGuestsAway(one);
  return new Promise((resolve) => {
    function look(now: number): void {
      const left = instances.reduce((sum, one) => sum + one.inflight, 0);
      if (left > 0 && now - began < graceMs) return;
      stop();
      resolve(left);
    }
    const stop = sweep.each(look);
    look(began);
  });
}

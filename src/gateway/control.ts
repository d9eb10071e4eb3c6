import type { GatewayCommand } from '../domain/gateway-control.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Sweep } from '../io/upstream-pool/sweep.ts';
import type { Deployment } from './routing/deployment.ts';
import type { Instance } from './routing/instance.ts';
import type { GatewayState } from './state.ts';

/**
 * Does what the control process asks. Resolves with what the command's schema says it answers.
 * Throws GATEWAY_NAME_UNKNOWN for a deployment that is not here.
 */
export async function answerCommand(
  state: GatewayState,
  sweep: Sweep,
  command: GatewayCommand,
): Promise<unknown> {
  switch (command.do) {
    case 'hold':
      deploymentOf(state, command.deployment).heldUntil = state.now() + command.forMs;
      return {};
    case 'release':
      release(deploymentOf(state, command.deployment));
      return {};
    case 'drain':
      return { left: await drain(state, sweep, command) };
    case 'resume':
      for (const one of atUrl(state, command.url)) one.drainedUntil = null;
      for (const one of state.snapshot.deployments.values()) one.dispatch();
      return {};
    case 'requests':
      return state.observer.live.list(mostListed);
    case 'restarted':
      state.meter.restarted(command.deployment, command.reason);
      return {};
    case 'usage':
      return state.usage.list();
    case 'cancel':
      if (!state.observer.live.cancel(command.request))
        throw new BerthError('GATEWAY_NAME_UNKNOWN', { name: command.request });
      return {};
    case 'load-progress':
    case 'load-failed':
      state.demands.hear(command);
      return {};
    case 'captures':
      return state.observer.captures.list();
    case 'capture': {
      const found = state.observer.captures.find(command.request);
      if (!found) throw new BerthError('GATEWAY_NAME_UNKNOWN', { name: command.request });
      return found;
    }
  }
}

const mostListed = 500;

function deploymentOf(state: GatewayState, name: string): Deployment {
  const found = state.snapshot.deployments.get(name);
  if (!found) throw new BerthError('GATEWAY_NAME_UNKNOWN', { name });
  return found;
}

function release(deployment: Deployment): void {
  deployment.heldUntil = null;
  deployment.dispatch();
}

/** An engine that a reload has taken away is found as well, as long as requests of it are under way. */
function atUrl(state: GatewayState, url: string): Instance[] {
  return [...state.snapshot.instances.values(), ...state.leaving].filter((one) => one.upstream.url === url);
}

function drain(
  state: GatewayState,
  sweep: Sweep,
  { url, graceMs, forMs }: { url: string; graceMs: number; forMs: number },
): Promise<number> {
  const instances = atUrl(state, url);
  const began = sweep.exact();
  for (const one of instances) one.drainedUntil = began + forMs;
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

import type { GatewayCommand } from '../domain/gateway-control.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Sweep } from '../io/upstream-pool/sweep.ts';
import type { GatewayState } from './state.ts';
import { drainAll, holdAll, releaseAll, resumeAll, sidesOf } from './traffic/move.ts';

/**
 * Does what the control process asks. Resolves with what the command's schema says it answers.
 * Throws GATEWAY_NAME_UNKNOWN for a deployment that is not here, REQUEST_UNKNOWN for a request.
 */
export async function answerCommand(
  state: GatewayState,
  sweep: Sweep,
  command: GatewayCommand,
): Promise<unknown> {
  switch (command.do) {
    case 'hold':
      return holdAll(state, command);
    case 'release':
      return releaseAll(state, command);
    case 'drain':
      return drainAll(state, sweep, command);
    case 'resume':
      return resumeAll(state, command);
    case 'shift':
      return state.together.ask(command, { forMs: shiftMs, patienceMs: shiftMs });
    case 'sides':
      return sidesOf(state, command);
    case 'followed':
      state.followers.answer(command);
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
        throw new BerthError('REQUEST_UNKNOWN', { request: command.request });
      return {};
    case 'load-progress':
    case 'fetch-ended':
    case 'load-failed':
      state.demands.hear(command);
      return {};
    case 'captures':
      return state.observer.captures.list();
    case 'capture': {
      const found = state.observer.captures.find(command.request);
      if (!found) throw new BerthError('REQUEST_UNKNOWN', { request: command.request });
      return found;
    }
  }
}

const mostListed = 500;
/** Looking at all machines of a fleet takes its time. */
const shiftMs = 30_000;

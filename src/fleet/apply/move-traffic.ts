import { Moved } from '../../domain/gateway-control.ts';
import type { GatewayCommand } from '../../domain/gateway-control.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';
import type { Successor, Traffic, TrafficStep } from './traffic.ts';

/** Time that open requests get when an engine or the gateway ends, where the file says nothing. */
export const usualDrainMs = 30_000;

/** Traffic as the control process moves it: through its own gateway, which tells all that share a store with it. */
export function moveTraffic(up: {
  readonly gateway: () => Pick<GatewayChild, 'ask'> | null;
  readonly drainMs: () => number;
  /** Takes in the fleet file and what runs now. */
  readonly shift: (to: Successor | null, despiteFaults: boolean) => Promise<void>;
}): Traffic {
  return async (step) => {
    const gateway = up.gateway();
    if (step.do === 'shift') await up.shift(step.to, step.despiteFaults ?? false);
    if (!gateway) return { left: 0 };
    return Moved.parse(await gateway.ask(commandOf(step, up.drainMs())));
  };
}

function commandOf(step: TrafficStep, graceMs: number): GatewayCommand {
  if (step.do === 'shift') return { do: 'shift', to: step.to };
  if (step.do !== 'drain') return step;
  const { url, machine, forMs } = step;
  return { do: 'drain', url, machine, forMs, graceMs };
}

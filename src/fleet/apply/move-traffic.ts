import { Drained } from '../../domain/gateway-control.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';
import type { Successor, Traffic } from './traffic.ts';

/** Time that open requests get when an engine or the gateway ends, where the file says nothing. */
export const usualDrainMs = 30_000;

/** Traffic as the control process moves it: through its own gateway. */
export function moveTraffic(up: {
  readonly gateway: () => Pick<GatewayChild, 'ask'> | null;
  readonly drainMs: () => number;
  /** Takes in the fleet file and what runs now. */
  readonly shift: (to: Successor | null) => Promise<void>;
}): Traffic {
  return async (step) => {
    const gateway = up.gateway();
    switch (step.do) {
      case 'hold':
      case 'release':
      case 'resume':
        await gateway?.ask(step);
        return { left: 0 };
      case 'drain':
        return Drained.parse(
          gateway ? await gateway.ask({ ...step, graceMs: up.drainMs() }) : ({ left: 0 } satisfies Drained),
        );
      case 'shift':
        await up.shift(step.to);
        return { left: 0 };
    }
  };
}

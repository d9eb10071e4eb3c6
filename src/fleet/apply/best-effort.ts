import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Traffic } from './traffic.ts';

/** How requests are moved aside, and who hears that they could not be. */
export interface MovedAside {
  readonly traffic: Traffic;
  readonly onProgress: (line: string) => void;
}

/**
 * A step that fails makes the change one with an interruption, and that is told; only `shift` must succeed, since
 * ending an engine that still gets requests would be worse than stopping midway.
 */
export function bestEffort({ traffic, onProgress }: MovedAside): Traffic {
  return async (step) => {
    try {
      const moved = await traffic(step);
      if (moved.untold !== undefined) onProgress(`berth: traffic (${step.do}): ${moved.untold}`);
      return moved;
    } catch (error) {
      if (step.do === 'shift' || !(error instanceof BerthError)) throw error;
      onProgress(`berth: traffic could not be moved (${step.do}): ${error.message}`);
      return { left: 0 };
    }
  };
}

import { longestTimerMs } from '../../io/clock.ts';

/**
 * Calls `onOver` with the bound, in milliseconds, once it has passed. It is asked for anew whenever it has passed, and may
 * have grown meanwhile. The result calls it off.
 */
export function startWait(bound: () => number, onOver: (ms: number) => void): () => void {
  let waited = 0;
  let timer: NodeJS.Timeout;
  function wait(left: number): void {
    const ms = Math.min(left, longestTimerMs);
    timer = setTimeout(() => {
      waited += ms;
      const now = bound();
      if (waited < now) wait(now - waited);
      else onOver(now);
    }, ms);
  }
  wait(bound());
  return () => clearTimeout(timer);
}

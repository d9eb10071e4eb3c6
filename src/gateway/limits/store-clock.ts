import { storeNow } from './store-script.ts';
import type { RunScript } from './store-script.ts';

/** Clocks that differ by less are the same: an answer is under way for a part of that. */
export const tolerableMs = 2000;
const lookMs = 10_000;

/** The time of the store that all gateways share. Of gateways one may run ahead: each would have days and months of its own. */
export interface StoreClock {
  /** Milliseconds since 1970 by the store, where the gateway's own clock says `wallMs`; the same until the store has told. */
  readonly at: (wallMs: number) => number;
  /** What `at` gave was so much too little. */
  readonly correct: (byMs: number) => void;
  /** Asks for it by and by; to be called at every tick. */
  readonly tick: (now: number, wallMs: () => number) => void;
}

export function createStoreClock(run: RunScript): StoreClock {
  let ahead = 0;
  let askedAt = -Infinity;
  function correct(byMs: number): void {
    // What the way of an answer makes of it is nothing to follow.
    if (Math.abs(byMs) <= tolerableMs) return;
    ahead += byMs;
    if (Math.abs(ahead) <= tolerableMs) ahead = 0;
  }
  return {
    at: (wallMs) => wallMs + ahead,
    correct,
    tick: (now, wallMs) => {
      if (now - askedAt < lookMs) return;
      askedAt = now;
      run(`${storeNow}\nreturn string.format('%.0f', now)`, [], []).then(
        (told) => correct(Number(told) - wallMs() - ahead),
        // Soon again: limits are counted alone meanwhile.
        () => (askedAt = now - lookMs + tolerableMs),
      );
    },
  };
}

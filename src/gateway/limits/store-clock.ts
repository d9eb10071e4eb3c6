import { storeNow } from './store-script.ts';
import type { RunScript } from './store-script.ts';

/** Clocks that differ by less are the same: an answer is under way for a part of that. */
export const tolerableMs = 2000;
const lookMs = 10_000;

/** The time of the store that all gateways share. Of gateways one may run ahead: each would have days and months of its own. */
export interface StoreClock {
  /** Milliseconds since 1970 by the store, where the gateway's own clock says `wallMs`; the same until the store has told. */
  readonly at: (wallMs: number) => number;
  /** What the gateway's own clock said where `at` gave `ms`, unless it was corrected since. */
  readonly own: (ms: number) => number;
  /** The store said `storeMs` where the gateway's own clock said `ownMs`. Many that were under way at once may say so, each for itself. */
  readonly correct: (storeMs: number, ownMs: number) => void;
  /** From now on this alone is told of each correction, with what the gateway's own clock said then. */
  readonly heed: (corrected: (ownMs: number) => void) => void;
  /** Asks for it by and by; to be called at every tick. */
  readonly tick: (now: number, wallMs: () => number) => void;
}

export function createStoreClock(run: RunScript): StoreClock {
  let ahead = 0;
  let askedAt = -Infinity;
  let tell: ((ownMs: number) => void) | null = null;
  function correct(storeMs: number, ownMs: number): void {
    const real = storeMs - ownMs;
    // What is no time would stay for good; what the way of an answer makes of it is nothing to follow.
    if (!Number.isFinite(real) || Math.abs(real - ahead) <= tolerableMs) return;
    ahead = Math.abs(real) <= tolerableMs ? 0 : real;
    tell?.(ownMs);
  }
  return {
    at: (wallMs) => wallMs + ahead,
    own: (ms) => ms - ahead,
    correct,
    heed: (corrected) => void (tell = corrected),
    tick: (now, wallMs) => {
      if (now - askedAt < lookMs) return;
      askedAt = now;
      run(`${storeNow}\nreturn string.format('%.0f', now)`, [], []).then(
        (told) => correct(Number(told), wallMs()),
        // Soon again: limits are counted alone meanwhile.
        () => (askedAt = now - lookMs + tolerableMs),
      );
    },
  };
}

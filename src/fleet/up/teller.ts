import type { World } from '../../io/world.ts';

/** Between tries; each wait is twice as long as the one before. */
const firstWaitMs = 1_000;
const longestWaitMs = 10_000;

/** Tells the gateway of engines that have come or gone, until it knows: nobody else would, and requests may wait for one of them. */
export interface Teller {
  /** Resolves after the first try, whatever came of it. */
  readonly tell: () => Promise<void>;
  /** Nothing is tried again after this. */
  readonly stop: () => void;
}

export function createTeller(
  { clock, log }: Pick<World, 'clock' | 'log'>,
  attempt: () => Promise<void>,
): Teller {
  const stopping = new AbortController();
  let known = '';
  let retries = false;

  async function isTold(): Promise<boolean> {
    try {
      await attempt();
      known = '';
      return true;
    } catch (error) {
      const reason = String(error);
      if (reason !== known)
        log.error('The gateway was not told of a change, which is tried again.', { reason });
      known = reason;
      return false;
    }
  }
  async function retry(): Promise<void> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      await clock.sleep(waitMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted || (await isTold())) return;
    }
  }
  return {
    tell: async () => {
      if ((await isTold()) || retries || stopping.signal.aborted) return;
      retries = true;
      void retry().finally(() => (retries = false));
    },
    stop: () => stopping.abort(),
  };
}

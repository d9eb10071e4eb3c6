import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Monotonic milliseconds, for durations. */
  readonly now: () => number;
  /** Wall time, for labels only. */
  readonly wall: () => Date;
  /** Rejects with the signal's reason when aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A timer of the runtime that is to take longer, which is about 25 days, goes off at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Whole microseconds on the monotonic clock that all threads and processes of a machine share. */
export function monotonicMicroseconds(): number {
  // The same clock as process.hrtime.bigint(), at a fraction of its price: no object is made.
  return Math.floor(origin + performance.now() * 1000);
}

/** Where `performance.now()` of this thread began, µs: the closest of some readings of both clocks. */
const origin = originOfThread();

function originOfThread(): number {
  let best = Number.POSITIVE_INFINITY;
  // What passes between the two readings makes the difference larger, never smaller.
  for (let i = 0; i < 32; i += 1) {
    const passed = performance.now() * 1000;
    best = Math.min(best, Number(process.hrtime.bigint()) / 1000 - passed);
  }
  return best;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => new Date(),
  sleep: async (ms, signal) => {
    const options = signal ? { signal } : {};
    let left = ms;
    for (; left > longestTimerMs; left -= longestTimerMs) await delay(longestTimerMs, undefined, options);
    await delay(left, undefined, options);
  },
};

/** Milliseconds since 1970 by that clock. Of the machine's own no Date is made: the gateway asks several times for each request. */
export function wallMsOf(clock: Pick<Clock, 'wall'>): () => number {
  return clock === systemClock ? () => Date.now() : () => clock.wall().getTime();
}

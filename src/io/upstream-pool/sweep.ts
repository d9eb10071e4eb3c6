import type { Clock } from '../clock.ts';

/** One timer for all deadlines of a process: time is read once a tick, and a deadline is kept to a tick's accuracy. */
export interface Sweep {
  /** Monotonic milliseconds at the latest tick. */
  readonly now: () => number;
  /** Monotonic milliseconds now, for what a tick is too coarse for. */
  readonly exact: () => number;
  /** Called at each tick with the time; the result ends it. */
  readonly each: (task: (now: number) => void) => () => void;
  /** Called once, at the first tick that is `ms` away or more; the result calls it off. */
  readonly after: (ms: number, task: () => void) => () => void;
  readonly stop: () => void;
}

/** Ticks by real time and tells that of `clock`: whoever sets the clock forward sees the deadlines pass at the next tick. */
export function startSweep(clock: Pick<Clock, 'now'>, tickMs = 100): Sweep {
  const tasks = new Set<(now: number) => void>();
  let now = clock.now();
  const timer = setInterval(() => {
    now = clock.now();
    for (const task of tasks) task(now);
  }, tickMs);
  timer.unref();
  function each(task: (at: number) => void): () => void {
    tasks.add(task);
    return () => void tasks.delete(task);
  }
  return {
    now: () => now,
    exact: () => clock.now(),
    each,
    after: (ms, task) => {
      const due = clock.now() + ms;
      const callOff = each((at) => {
        if (at < due) return;
        callOff();
        task();
      });
      return callOff;
    },
    stop: () => clearInterval(timer),
  };
}

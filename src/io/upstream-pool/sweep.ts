/** One timer for all deadlines of a process: time is read once a tick, and a deadline is kept to a tick's accuracy. */
export interface Sweep {
  /** Monotonic milliseconds at the latest tick. */
  readonly now: () => number;
  /** Called at each tick with the time; the result ends it. */
  readonly each: (task: (now: number) => void) => () => void;
  readonly stop: () => void;
}

export function startSweep(tickMs = 100): Sweep {
  const tasks = new Set<(now: number) => void>();
  let now = performance.now();
  const timer = setInterval(() => {
    now = performance.now();
    for (const task of tasks) task(now);
  }, tickMs);
  timer.unref();
  return {
    now: () => now,
    each: (task) => {
      tasks.add(task);
      return () => void tasks.delete(task);
    },
    stop: () => clearInterval(timer),
  };
}

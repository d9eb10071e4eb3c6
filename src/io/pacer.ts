import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { monotonicMicroseconds } from './clock.ts';
import { programPath } from './program.ts';

interface Job {
  /** Moments on the machine's monotonic clock in µs, in order. */
  readonly due: Float64Array;
  /** One cell; anything but 0 ends the thread. */
  readonly stop: Int32Array;
}

/**
 * Calls `onDue` with how many of the moments have passed, each time one or more have. A thread of its own watches the
 * clock: timers of an event loop fire early by parts of a millisecond and late whenever the loop is busy. Resolves when
 * all have passed, or when the signal aborts; rejects when the thread fails.
 */
export async function pace(
  due: Float64Array,
  onDue: (passed: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const shared = new Float64Array(new SharedArrayBuffer(due.byteLength));
  shared.set(due);
  const job: Job = { due: shared, stop };
  const thread = new Worker(programPath('pacer'), { workerData: job });
  function end(): void {
    Atomics.store(stop, 0, 1);
    Atomics.notify(stop, 0);
  }
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    await new Promise<void>((resolve, reject) => {
      thread.on('message', (passed: number) => {
        if (!signal.aborted) onDue(passed);
      });
      thread.once('error', reject);
      thread.once('exit', () => resolve());
    });
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** The thread's own part. */
export function runPacer(): void {
  if (isMainThread || parentPort === null) return;
  const { due, stop } = workerData as Job;
  let next = 0;
  while (next < due.length) {
    const wait = (due[next] as number) - monotonicMicroseconds();
    if (wait > 0) {
      if (Atomics.wait(stop, 0, 0, wait / 1000) !== 'timed-out') return;
      continue;
    }
    next += 1;
    while (next < due.length && (due[next] as number) <= monotonicMicroseconds()) next += 1;
    parentPort.postMessage(next);
  }
}

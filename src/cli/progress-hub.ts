import { followRuns } from '../bench/run/follow-runs.ts';
import type { RunProgress } from '../domain/run-progress.ts';
import type { World } from '../io/world.ts';

type Listener = (progress: RunProgress) => void;

/** Passes the progress of benchmarks on to whoever listens (the console). */
export interface ProgressHub {
  /** Of a run of this very process. */
  readonly tell: Listener;
  readonly subscribe: (listener: Listener) => () => void;
  /** Tells also of runs that other processes work on, while there is none of this one. */
  readonly follow: (world: World, signal: AbortSignal) => void;
}

export function createProgressHub(): ProgressHub {
  const listeners = new Set<Listener>();
  let own: string | null = null;
  function pass(progress: RunProgress): void {
    for (const listener of listeners) listener(progress);
  }
  return {
    tell: (progress) => {
      if (progress.type === 'run-started') own = progress.id;
      if (progress.type === 'run-ended') own = null;
      pass(progress);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    follow: (world, signal) => void followRuns(world, { tell: pass, own: () => own, signal }),
  };
}

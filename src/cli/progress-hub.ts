import type { RunProgress } from '../domain/run-progress.ts';

type Listener = (progress: RunProgress) => void;

/** Passes the progress of this process's benchmarks on to whoever listens (the console). */
export interface ProgressHub {
  readonly tell: Listener;
  readonly subscribe: (listener: Listener) => () => void;
}

export function createProgressHub(): ProgressHub {
  const listeners = new Set<Listener>();
  return {
    tell: (progress) => {
      for (const listener of listeners) listener(progress);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

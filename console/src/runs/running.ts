import type { RunProgress } from '../../../src/domain/run-progress.ts';

/** What is known of the benchmark that runs now. */
export interface Running {
  readonly id: string;
  readonly name: string;
  readonly stage: {
    readonly index: number;
    readonly label: string;
    readonly seconds: number | null;
    readonly requests: number | null;
  } | null;
  readonly tick: Extract<RunProgress, { type: 'tick' }> | null;
}

/** The next state after one message of the run; null when it is over. */
export function watchRun(running: Running | null, progress: RunProgress): Running | null {
  switch (progress.type) {
    case 'run-started':
      return { id: progress.id, name: progress.name, stage: null, tick: null };
    case 'stage-started':
      return running && { ...running, stage: progress, tick: null };
    case 'tick':
      return running && { ...running, tick: progress };
    case 'stage-ended':
      return running;
    case 'run-ended':
      return null;
    case 'calibrated':
    case 'server':
    case 'note':
      return running;
  }
}

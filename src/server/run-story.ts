import type { RunProgress } from '../domain/run-progress.ts';

/**
 * What somebody who comes in the middle of a run must be told to know where it stands: all of it but the old ticks.
 * Empty while nothing runs.
 */
export function retell(story: readonly RunProgress[], progress: RunProgress): readonly RunProgress[] {
  switch (progress.type) {
    case 'run-started':
      return [progress];
    case 'run-ended':
      return [];
    case 'tick':
      if (story.length === 0) return story;
      return [...story.filter(({ type }) => type !== 'tick'), progress];
    case 'calibrated':
    case 'server':
    case 'stage-started':
    case 'stage-ended':
    case 'note':
      return story.length === 0 ? story : [...story, progress];
  }
}

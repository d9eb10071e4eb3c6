import { join } from 'node:path';
import { z } from 'zod';
import { RunProgress } from '../../domain/run-progress.ts';
import type { Files } from '../../io/files.ts';

/** Where a run stands now, for whoever did not start it: its start, its stage, its last tick. */
const LiveFile = z.array(RunProgress);

export function livePath(folder: string): string {
  return join(folder, 'live.json');
}

const kept: readonly RunProgress['type'][] = ['run-started', 'stage-started', 'tick'];

/** Keeps a file in the run's folder that says where the run stands, written over as it goes on and removed at its end. */
export function createLiveFile(
  files: Files,
  folder: string,
): { hear: (progress: RunProgress) => void; end: () => Promise<void> } {
  let story: readonly RunProgress[] = [];
  let writing: Promise<void> | null = null;
  return {
    hear: (progress) => {
      if (!kept.includes(progress.type)) return;
      const replaced = progress.type === 'stage-started' ? ['stage-started', 'tick'] : [progress.type];
      story = [...story.filter(({ type }) => !replaced.includes(type)), progress];
      // What comes while a write is under way is in the next one; a run never waits for this file.
      writing ??= files
        .write(livePath(folder), JSON.stringify(story))
        .catch(() => {})
        .finally(() => (writing = null));
    },
    end: async () => {
      await writing;
      await files.remove(livePath(folder));
    },
  };
}

/** Null when nothing is told, or not in a way that this version knows. */
export async function readLive(files: Files, folder: string): Promise<readonly RunProgress[] | null> {
  const text = await files.read(livePath(folder)).catch(() => null);
  if (text === null) return null;
  try {
    return LiveFile.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

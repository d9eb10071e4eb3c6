import { join } from 'node:path';
import type { RunProgress } from '../../domain/run-progress.ts';
import type { World } from '../../io/world.ts';
import { readLive } from './live-file.ts';
import { goesOn } from './run-lock.ts';

const periodMs = 1000;
/** A run at work is among the newest: its name begins with its time. One that was resumed may not be, and is missed then. */
const newest = 8;

/**
 * Tells of a run that another process works on, from its folder, as that process itself would: one at a time, the newest.
 * `own` names a run that is told by this process itself, and then nothing else is told.
 */
export async function followRuns(
  world: World,
  options: { tell: (progress: RunProgress) => void; own: () => string | null; signal: AbortSignal },
): Promise<void> {
  let told: readonly RunProgress[] = [];
  function end(): void {
    const [first] = told;
    if (first?.type === 'run-started' && options.own() === null)
      options.tell({ type: 'run-ended', id: first.id, interrupted: false });
    told = [];
  }
  while (!options.signal.aborted) {
    const story = options.own() === null ? await newestStory(world) : null;
    const sameRun = story !== null && idOf(story) === idOf(told);
    if (told.length > 0 && !sameRun) end();
    const before = new Set(told.map((progress) => JSON.stringify(progress)));
    for (const progress of story ?? []) if (!before.has(JSON.stringify(progress))) options.tell(progress);
    told = story ?? [];
    await world.clock.sleep(periodMs, options.signal).catch(() => {});
  }
}

function idOf(story: readonly RunProgress[]): string | null {
  const [first] = story;
  return first?.type === 'run-started' ? first.id : null;
}

async function newestStory(world: World): Promise<readonly RunProgress[] | null> {
  const names = await world.files.list(world.places.runs);
  for (const name of names.toSorted().slice(-newest).toReversed()) {
    const folder = join(world.places.runs, name);
    const story = await readLive(world.files, folder);
    if (story && idOf(story) !== null && (await goesOn(folder))) return story;
  }
  return null;
}

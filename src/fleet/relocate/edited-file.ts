import { parseDocument } from 'yaml';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** A file of the fleet before and after a change that has not been written yet. */
export interface EditedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** The last of the fleet's files that has something at this place: what it says there is in force. */
export async function fileWith(
  world: World,
  { files }: LoadedFleet,
  place: readonly string[],
): Promise<{ path: string; text: string }> {
  for (const { path } of files.toReversed()) {
    const text = await world.files.read(path);
    if (text !== null && parseDocument(text).hasIn(place)) return { path, text };
  }
  throw new BerthError(
    'FILE_MISSING',
    { path: files.at(-1)?.path ?? '', what: 'fleet file' },
    { exit: 'usage' },
  );
}

/** The world as if this file had been written. */
export function worldWith(world: World, { path, after }: EditedFile): World {
  const { files } = world;
  return {
    ...world,
    files: { ...files, read: (other) => (other === path ? Promise.resolve(after) : files.read(other)) },
  };
}

/** Whole or not at all, with the rights that it had. */
export async function writeText(world: World, path: string, text: string): Promise<void> {
  const stat = await world.files.stat(path);
  await world.files.write(path, text, stat?.mode ?? 0o644);
}

import { dirname, join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import type { RenderedFile } from '../render/contract.ts';
import { indexName, indexText, nextIndex, readIndex, sumOf, writtenOver } from '../render/written-index.ts';

export interface WrittenFolder {
  readonly written: readonly string[];
  /** Files of an earlier render, now gone. */
  readonly removed: readonly string[];
  /** No longer written, but changed by somebody since: they stay. */
  readonly left: readonly string[];
  /** Changed by somebody since the last render, and now as they are rendered. */
  readonly changed: readonly string[];
}

/**
 * Writes the files below the folder, and takes away what an earlier render left there and this one does not write. Throws
 * RENDER_OVERWRITES, before anything is written, where a file is there that no render wrote.
 */
export async function writeRendered(
  { files }: Pick<World, 'files'>,
  folder: string,
  { rendered, by, whole }: { rendered: readonly RenderedFile[]; by: string; whole: boolean },
): Promise<WrittenFolder> {
  const place = join(folder, indexName);
  const before = readIndex(await files.read(place));
  const { foreign, changed } = writtenOver(before, rendered, await textsThere(files, folder, rendered));
  if (foreign.length > 0)
    throw new BerthError('RENDER_OVERWRITES', { files: foreign.map((path) => join(folder, path)) });
  const { index, gone } = nextIndex(before, rendered, { by, whole });
  // First, so that what a render which is killed leaves is known as written by one.
  await files.write(place, indexText([...index, ...gone]), 0o644);
  const written: string[] = [];
  for (const { path, text } of rendered) {
    await files.write(join(folder, path), text, 0o644);
    written.push(join(folder, path));
  }
  const removed: string[] = [];
  const left: string[] = [];
  for (const { path, sum } of gone) {
    const text = await files.read(join(folder, path));
    if (text === null) continue;
    if (sumOf(text) !== sum) left.push(join(folder, path));
    else {
      await files.remove(join(folder, path));
      await removeEmpty(files, folder, path);
      removed.push(join(folder, path));
    }
  }
  await files.write(place, indexText(index), 0o644);
  return { written, removed, left, changed: changed.map((path) => join(folder, path)) };
}

async function textsThere(
  files: World['files'],
  folder: string,
  rendered: readonly RenderedFile[],
): Promise<Map<string, string>> {
  const there = new Map<string, string>();
  for (const { path } of rendered) {
    // What cannot be read is told by the write.
    const text = await files.read(join(folder, path)).catch(() => null);
    if (text !== null) there.set(path, text);
  }
  return there;
}

/** The folders of a file that is gone, up to the one that was named. */
async function removeEmpty(files: World['files'], folder: string, path: string): Promise<void> {
  for (let inner = dirname(path); inner !== '.'; inner = dirname(inner)) {
    if ((await files.list(join(folder, inner))).length > 0) return;
    await files.remove(join(folder, inner));
  }
}

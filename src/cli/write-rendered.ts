import { dirname, join } from 'node:path';
import type { World } from '../io/world.ts';
import type { RenderedFile } from '../render/contract.ts';
import { indexName, indexText, nextIndex, readIndex, sumOf } from '../render/written-index.ts';

export interface WrittenFolder {
  readonly written: readonly string[];
  /** Files of an earlier render, now gone. */
  readonly removed: readonly string[];
  /** No longer written, but changed by somebody since: they stay. */
  readonly left: readonly string[];
}

/** Writes the files below the folder, and takes away what an earlier render left there and this one does not write. */
export async function writeRendered(
  { files }: Pick<World, 'files'>,
  folder: string,
  { rendered, by, whole }: { rendered: readonly RenderedFile[]; by: string; whole: boolean },
): Promise<WrittenFolder> {
  const place = join(folder, indexName);
  const { index, gone } = nextIndex(readIndex(await files.read(place)), rendered, { by, whole });
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
  return { written, removed, left };
}

/** The folders of a file that is gone, up to the one that was named. */
async function removeEmpty(files: World['files'], folder: string, path: string): Promise<void> {
  for (let inner = dirname(path); inner !== '.'; inner = dirname(inner)) {
    if ((await files.list(join(folder, inner))).length > 0) return;
    await files.remove(join(folder, inner));
  }
}

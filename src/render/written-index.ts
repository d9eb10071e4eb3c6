import { createHash } from 'node:crypto';
import type { RenderedFile } from './contract.ts';

/** What was written into a folder, by whom: so a later render takes away what it no longer writes. No tool takes it for its own. */
export const indexName = '.berth-rendered';

/** One file as it was written. */
export interface WrittenFile {
  readonly sum: string;
  /** Fleet and format, since several may share a folder. */
  readonly by: string;
  readonly path: string;
}

export function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Lines of an index; those that are no such line are passed over. */
export function readIndex(text: string | null): WrittenFile[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [, sum = '', by = '', path = ''] = /^([0-9a-f]{64}) (\S+) (\S.*)$/.exec(line) ?? [];
    return sum === '' || leadsOut(path) ? [] : [{ sum, by, path }];
  });
}

function leadsOut(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..');
}

export function indexText(written: readonly WrittenFile[]): string {
  const lines = written.map(({ sum, by, path }) => `${sum} ${by} ${path}\n`);
  return lines.toSorted((one, other) => (one.slice(65) < other.slice(65) ? -1 : 1)).join('');
}

/** What the folder holds from now on, and which files of before are no longer written. `whole`: all of the fleet was, and no part of it. Pure. */
export function nextIndex(
  before: readonly WrittenFile[],
  files: readonly RenderedFile[],
  { by, whole }: { by: string; whole: boolean },
): { index: WrittenFile[]; gone: WrittenFile[] } {
  const now = files.map(({ path, text }) => ({ sum: sumOf(text), by, path }));
  const others = before.filter(({ path }) => !now.some((one) => one.path === path));
  const gone = others.filter((one) => whole && one.by === by);
  return { index: [...others.filter((one) => !gone.includes(one)), ...now], gone };
}

/** Of files that are there with another text those that no render wrote, and those that somebody has changed since one did. Pure. */
export function writtenOver(
  before: readonly WrittenFile[],
  files: readonly RenderedFile[],
  there: ReadonlyMap<string, string>,
): { foreign: string[]; changed: string[] } {
  const differ = files.filter(({ path, text }) => (there.get(path) ?? text) !== text);
  const sums = new Map(before.map(({ path, sum }) => [path, sum]));
  return {
    foreign: differ.filter(({ path }) => !sums.has(path)).map(({ path }) => path),
    changed: differ
      .filter(({ path }) => sums.has(path) && sums.get(path) !== sumOf(there.get(path) ?? ''))
      .map(({ path }) => path),
  };
}

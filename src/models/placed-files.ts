import { basename, posix } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { splitSet } from '../domain/split-files.ts';
import type { StoredFile, StoredModel } from './cache.ts';

/** One file of a model, and its path below the folder that it is put into. */
export interface PlacedFile {
  readonly file: StoredFile;
  readonly path: string;
}

/** The folder that a model is put into: `to` itself, or that of the file which it names. Pure. */
export function folderFor(to: string): string {
  return isFile(to) ? posix.dirname(to) : to;
}

function isFile(to: string): boolean {
  return /\.gguf$/i.test(to);
}

/**
 * Under which names the files of a model lie for an engine that opens `to`: a model of one file has the name that is wanted, one of
 * several keeps theirs, by which an engine finds the others. Pure. Throws MODEL_NOT_PLACED.
 */
export function placedFiles(
  { source, main, files }: Pick<StoredModel, 'source' | 'main' | 'files'>,
  to: string,
): PlacedFile[] {
  const isOne = files.some(({ path }) => path === main);
  // An engine is given the folder itself, or one in it.
  const within = main === null ? '' : isOne ? posix.dirname(main) : main;
  if (!isFile(to)) return files.map((file) => ({ file, path: below(within, file.path) }));
  if (main === null || !isOne) throw notPlaced(source, to, 'it is a folder of files, and no single one');
  const [only] = files;
  if (only && files.length === 1) return [{ file: only, path: basename(to) }];
  if (basename(main) !== basename(to))
    throw notPlaced(source, to, `its ${splitSet(main).length} files are found by the name ${basename(main)}`);
  return files.map((file) => ({ file, path: below(within, file.path) }));
}

function below(folder: string, path: string): string {
  return folder === '' || folder === '.' ? path : posix.relative(folder, path);
}

function notPlaced(source: string, to: string, reason: string): BerthError<'MODEL_NOT_PLACED'> {
  return new BerthError('MODEL_NOT_PLACED', { source, to, reason });
}

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { openSource } from './byte-file.ts';

const part = 4 * 1024 * 1024;

/** SHA-256 of a whole file, in hexadecimal; null when there is none, rights hide it, or the signal came first. */
export function hashFile(path: string, signal: AbortSignal): Promise<string | null> {
  return hashOf(path, signal, () => createHash('sha256'));
}

/** The name that git gives a file by its content; null as above. */
export function gitNameOf(path: string, signal: AbortSignal): Promise<string | null> {
  return hashOf(path, signal, (size) => createHash('sha1').update(`blob ${size}\0`));
}

async function hashOf(
  path: string,
  signal: AbortSignal,
  begin: (size: number) => Hash,
): Promise<string | null> {
  const found = await openSource(path).catch(() => null);
  if (!found) return null;
  await using source = found;
  const hash = begin(source.size);
  for (let at = 0; at < source.size; at += part) {
    if (signal.aborted) return null;
    hash.update(await source.read(at, part));
  }
  return hash.digest('hex');
}

import { createHash } from 'node:crypto';
import { openSource } from './byte-file.ts';

const part = 4 * 1024 * 1024;

/** SHA-256 of a whole file, in hexadecimal; null when there is none, rights hide it, or the signal came first. */
export async function hashFile(path: string, signal: AbortSignal): Promise<string | null> {
  const found = await openSource(path).catch(() => null);
  if (!found) return null;
  await using source = found;
  const hash = createHash('sha256');
  for (let at = 0; at < source.size; at += part) {
    if (signal.aborted) return null;
    hash.update(await source.read(at, part));
  }
  return hash.digest('hex');
}

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { CrcKind } from '../domain/listed-model.ts';
import { openSource } from './byte-file.ts';
import { beginCrc } from './crc.ts';

const part = 4 * 1024 * 1024;

/** SHA-256 of a whole file, in hexadecimal; null when there is none, rights hide it, or the signal came first. */
export function hashFile(path: string, signal: AbortSignal): Promise<string | null> {
  return hashOf(path, signal, () => inHex(createHash('sha256')));
}

/** The name that git gives a file by its content; null as above. */
export function gitNameOf(path: string, signal: AbortSignal): Promise<string | null> {
  return hashOf(path, signal, (size) => inHex(createHash('sha1').update(`blob ${size}\0`)));
}

/** Another sum that object stores tell, in base64; null as above. */
export function crcOf(path: string, kind: CrcKind, signal: AbortSignal): Promise<string | null> {
  return hashOf(path, signal, () => beginCrc(kind));
}

interface Sum {
  readonly update: (bytes: Buffer) => unknown;
  readonly digest: () => string;
}

function inHex(hash: Hash): Sum {
  return { update: (bytes) => hash.update(bytes), digest: () => hash.digest('hex') };
}

async function hashOf(
  path: string,
  signal: AbortSignal,
  begin: (size: number) => Sum,
): Promise<string | null> {
  const found = await openSource(path).catch(() => null);
  if (!found) return null;
  await using source = found;
  const hash = begin(source.size);
  for (let at = 0; at < source.size; at += part) {
    if (signal.aborted) return null;
    hash.update(await source.read(at, part));
  }
  return hash.digest();
}

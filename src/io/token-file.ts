import { randomBytes } from 'node:crypto';
import type { Files } from './files.ts';

/** 256 bits, safe in a URL. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

const making = new WeakMap<Files, Map<string, Promise<string>>>();

/**
 * The token of this file, made at the first call (0600), so that an open page survives a restart of the server. Those who
 * ask at once get the same.
 */
export function tokenOfFile(files: Files, path: string): Promise<string> {
  const all = making.get(files) ?? new Map<string, Promise<string>>();
  making.set(files, all);
  const made = all.get(path) ?? readOrMake(files, path).finally(() => all.delete(path));
  all.set(path, made);
  return made;
}

async function readOrMake(files: Files, path: string): Promise<string> {
  const kept = (await files.read(path))?.trim();
  if (kept) return kept;
  const made = newToken();
  await files.write(path, `${made}\n`);
  return made;
}

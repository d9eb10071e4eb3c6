import { randomBytes } from 'node:crypto';
import type { Files } from './files.ts';

/** 256 bits, safe in a URL. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The token of this file, made at the first call (0600), so that an open page survives a restart of the server. */
export async function tokenOfFile(files: Files, path: string): Promise<string> {
  const kept = (await files.read(path))?.trim();
  if (kept) return kept;
  const made = newToken();
  await files.write(path, `${made}\n`);
  return made;
}

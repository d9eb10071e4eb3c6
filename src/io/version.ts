import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The version of this berth: package.json lies two folders up, of the sources and of the build alike. */
export function berthVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

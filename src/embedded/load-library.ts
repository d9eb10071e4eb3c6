import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as NodeLlamaCpp from 'node-llama-cpp';
import { BerthError } from '../domain/errors/berth-error.ts';

export type Library = typeof NodeLlamaCpp;

const name = 'node-llama-cpp';

/**
 * The library is optional and large: it is looked for in these folders first (where "berth engine add embedded" puts
 * it), then where berth itself is installed. Throws ENGINE_LIBRARY_MISSING.
 */
export async function loadLibrary(folders: readonly string[]): Promise<Library> {
  const starts = [
    ...folders.map((folder) => pathToFileURL(join(folder, 'package.json')).href),
    import.meta.url,
  ];
  for (const start of starts) {
    const entry = resolveFrom(start);
    if (entry) return (await import(pathToFileURL(entry).href)) as Library;
  }
  const looked = [...folders, 'the modules beside berth'].join(', ');
  throw new BerthError('ENGINE_LIBRARY_MISSING', { library: name, looked });
}

function resolveFrom(start: string): string | null {
  try {
    return createRequire(start).resolve(name);
  } catch {
    return null;
  }
}

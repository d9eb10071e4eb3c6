import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where tools/live/llama-server.sh puts its wrappers. */
export const liveBin = join(process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live'), 'bin');

/** A real llama-server: $LLAMA_SERVER, then PATH, then the live cache; null when there is none, and tests skip. */
export function findLlamaServer(): string | null {
  const named = process.env['LLAMA_SERVER'];
  if (named) return named;
  return findTool('llama-server');
}

/** A tool of the same package, beside the llama-server in use where one is named. */
export function findTool(name: 'llama-server' | 'llama-bench' | 'llama-quantize'): string | null {
  const named = process.env['LLAMA_SERVER'];
  const folders = [...(named ? [dirname(named)] : []), ...(process.env['PATH'] ?? '').split(':'), liveBin];
  return folders.map((folder) => join(folder, name)).find(executable) ?? null;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

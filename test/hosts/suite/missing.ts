import { existsSync } from 'node:fs';
import { findLlamaServer } from '../llama-server.ts';

/** What keeps this machine from hosts of tests altogether; null: it can have all that need no cluster. */
export function missingForAll(): string | null {
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync('/sys/fs/cgroup/memory')) return 'no cgroups of version 1';
  return findLlamaServer() === null ? 'no llama-server (tools/live/llama-server.sh)' : null;
}

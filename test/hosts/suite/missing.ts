import { existsSync } from 'node:fs';
import { findLlamaServer } from '../llama-server.ts';

/** What a run has to have at least: programs that are lacking for them can be installed. */
export const leastTargets = ['process', 'systemd', 'docker', 'podman'] as const;

/** Why nothing that is installed here lets a target of those run; null: a run that leaves it out is at fault. */
export function excuseFor(name: (typeof leastTargets)[number]): string | null {
  if (findLlamaServer() === null) return 'no llama-server (tools/live/llama-server.sh)';
  if (name === 'process') return null;
  if (process.getuid?.() !== 0) return 'its machine needs root';
  // Containers get control groups of either version from their engine.
  if (name === 'systemd' && !existsSync('/sys/fs/cgroup/memory')) return 'no cgroups of version 1';
  return null;
}

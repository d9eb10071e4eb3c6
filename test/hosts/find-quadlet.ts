import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { liveBin } from './llama-server.ts';

/** Podman's own program that makes units of Quadlet files: $QUADLET, podman's own, then the live cache; null when there is none. */
export function findQuadlet(): string | null {
  const usual = ['/usr/libexec/podman/quadlet', '/usr/lib/podman/quadlet', join(liveBin, 'quadlet')];
  const named = process.env['QUADLET'];
  return [...(named ? [named] : []), ...usual].find(runs) ?? null;
}

function runs(path: string): boolean {
  try {
    execFileSync(path, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Helm of PATH, else beside the programs of Kubernetes; null where neither is. */
export function findHelm(): string | null {
  const places = ['helm', join(process.env['KUBEBUILDER_ASSETS'] ?? '/nowhere', 'helm')];
  return places.find((path) => spawnSync(path, ['version']).status === 0) ?? null;
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Kubectl among the programs of Kubernetes, else of PATH; null where neither is. */
export function findKubectl(): string | null {
  const places = [join(process.env['KUBEBUILDER_ASSETS'] ?? '/nowhere', 'kubectl'), 'kubectl'];
  return places.find((path) => spawnSync(path, ['version', '--client']).status === 0) ?? null;
}

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Starts or ends the cluster of a folder, or what answers at the addresses of its Services. */
export function clusterScript(op: 'start' | 'stop' | 'proxy' | 'unproxy', folder: string): void {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const env = { ...process.env, BIN: process.env['KUBEBUILDER_ASSETS'] ?? '', PATH: path };
  execFileSync('bash', [join(import.meta.dirname, 'kube-box.sh'), op, folder], { env, stdio: 'ignore' });
}

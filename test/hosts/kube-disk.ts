import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/berth.ts';
import type { KubeBox } from './kube-box.ts';

/** The first process of the node's namespaces, and those that it has started. */
function firstOf({ folder }: KubeBox): string {
  const outer = readFileSync(join(folder, 'box.pid'), 'utf8').trim();
  return execFileSync('pgrep', ['-P', outer], { encoding: 'utf8' }).split('\n')[0] ?? '';
}

/**
 * Has the kubelet find the disk of its node too full, by its own figures and a threshold that every disk is beyond, until what it gives
 * is called. It waits an hour before it would throw images away for that.
 */
export async function pressDisk(box: KubeBox): Promise<() => Promise<void>> {
  const path = join(box.folder, 'kubelet.yaml');
  const text = readFileSync(path, 'utf8');
  const threshold =
    'evictionSoft: {nodefs.available: "99.9%"}\nevictionSoftGracePeriod: {nodefs.available: 1h}\n';
  async function startWith(config: string, isFull: boolean): Promise<void> {
    writeFileSync(path, config);
    // It is started again at once.
    execFileSync('pkill', ['-P', firstOf(box), '-x', 'kubelet']);
    await until(() => hasTaint(box) === isFull, `the node's disk to count as ${isFull ? 'full' : 'free'}`);
  }
  await startWith(`${text}${threshold}`, true);
  return () => startWith(text, false);
}

function hasTaint({ kubectl }: KubeBox): boolean {
  return kubectl('get', 'node', 'node1', '-o', 'jsonpath={.spec.taints[*].key}').includes('disk-pressure');
}

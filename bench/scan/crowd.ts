import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** Processes that wait, for a scan to look at; all end when it is disposed. */
export interface Crowd extends AsyncDisposable {
  readonly processes: number;
  /** How many of them live in network and process namespaces of their own, as those of containers do; 0 without root. */
  readonly apart: number;
}

/** Words of real command lines, so that what is read has the length that it has elsewhere. */
const words = [
  '--config',
  '/etc/service/settings.yaml',
  '--log-level=info',
  '--listen',
  '0.0.0.0',
  '--workers=4',
];

export async function startCrowd(processes: number, apart: number): Promise<Crowd> {
  const root = process.getuid?.() === 0;
  const inside = root ? apart : 0;
  const children = Array.from({ length: processes }, (_, i) => {
    const wait = ['-c', 'read -r line', `service-${i}`, ...words];
    const argv = i < inside ? ['-n', '-p', '--kill-child', '-f', 'sh', ...wait] : wait;
    return spawn(i < inside ? 'unshare' : 'sh', argv, { stdio: ['pipe', 'ignore', 'ignore'] });
  });
  await Promise.all(children.map(started));
  return {
    processes,
    apart: inside,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map(ended));
    },
  };
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    child.stdin?.end();
    child.kill();
  });
}

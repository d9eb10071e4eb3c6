import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fakeEngine } from '../support/berth.ts';
import { root } from './machine.ts';
import type { CrashMachine } from './machine.ts';
import { scripted } from './process-machine.ts';

/** Engines as units of a systemd that is the first process of a machine of its own. */
export function systemdMachine(folder: string): CrashMachine {
  const box = join(root, 'test/hosts/systemd-box.sh');
  const shared = [root, dirname(dirname(process.execPath))].join(':');
  execFileSync(box, ['start', folder], { env: { ...process.env, BOX_BIND: shared }, stdio: 'pipe' });
  const enter = [box, 'enter', folder, 'sh', '-c', 'cd "$0" && exec "$@"', folder];
  function inside(...argv: string[]): void {
    const [program = '', ...args] = [...enter, ...argv];
    execFileSync(program, args, { stdio: 'pipe' });
  }
  function linesInside(script: string): string[] {
    const [program, ...args] = [...enter, 'sh', '-c', script];
    const lines = execFileSync(program, args, { encoding: 'utf8' }).split('\n');
    return lines.filter((line) => line !== '').map((path) => `file ${path}`);
  }
  return {
    name: 'systemd',
    folder,
    enter,
    env: {},
    more: [],
    deployment: scripted('target: {kind: systemd}, '),
    startStranger: (word) => {
      inside('systemd-run', '--unit=stranger', process.execPath, fakeEngine, '0', word);
      return Promise.resolve(() => {
        inside('systemctl', 'stop', 'stranger');
        return Promise.resolve();
      });
    },
    objects: () =>
      linesInside(
        'find /etc/systemd/system /etc/berth -name "*berth-crash-*" -o -path "*berth-crash-*/*"; true',
      ),
    stop: () => execFileSync(box, ['stop', folder], { stdio: 'pipe' }),
  };
}

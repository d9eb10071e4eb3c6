import { execFileSync } from 'node:child_process';
import { accessSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const script = join(root, 'test/hosts/systemd-box.sh');

/** Empty where a machine with systemd of its own can be made here; else why not. */
export function missingForSystemd(): string {
  if (process.getuid?.() !== 0) return 'root';
  for (const path of [
    '/usr/lib/systemd/systemd',
    '/usr/bin/dbus-daemon',
    '/sys/fs/cgroup/memory',
    '/usr/bin/nsenter',
  ])
    try {
      accessSync(path);
    } catch {
      return path;
    }
  return '';
}

export interface BoxRan {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine with systemd as its first process. `folder` is in it as outside. */
export interface SystemdBox {
  readonly folder: string;
  /** Its first process, seen from outside. */
  readonly pid: string;
  /** What stands before a command that is to run in it. */
  readonly before: readonly string[];
  readonly enter: (...argv: string[]) => BoxRan;
  /** Berth in the box's folder, as root; `env` is beside what the test's own environment has. */
  readonly berth: (args: readonly string[], env?: Record<string, string>) => BoxRan;
  readonly stop: () => void;
}

/** `node`: a kubelet can run in it. */
export function startSystemdBox(shared: readonly string[] = [], { node = false } = {}): SystemdBox {
  const folder = mkdtempSync(join(tmpdir(), 'berth-systemd-'));
  const bind = [root, dirname(dirname(process.execPath)), ...shared].join(':');
  const own = { ...process.env, BOX_BIND: bind, ...(node ? { BOX_NODE: '1' } : {}) };
  const pid = execFileSync(script, ['start', folder], { env: own, encoding: 'utf8', stdio: 'pipe' }).trim();

  function run(argv: readonly string[], more: Record<string, string>): BoxRan {
    const env = { ...process.env, BERTH_STATE_DIR: join(folder, 'state'), ...more };
    try {
      const stdout = execFileSync(script, ['enter', folder, ...argv], {
        env,
        cwd: folder,
        encoding: 'utf8',
        stdio: 'pipe',
      });
      return { code: 0, stdout, stderr: '' };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { code: status, stdout, stderr };
    }
  }

  return {
    folder,
    pid,
    before: [script, 'enter', folder],
    enter: (...argv) => run(argv, {}),
    berth: (args, env = {}) => {
      const line = ['cd', folder, '&&', 'exec', process.execPath, join(root, 'bin/berth.js'), ...args];
      return run(['sh', '-c', line.map((word) => (word === '&&' ? word : `'${word}'`)).join(' ')], env);
    },
    stop: () => {
      execFileSync(script, ['stop', folder], { env: own, stdio: 'pipe' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

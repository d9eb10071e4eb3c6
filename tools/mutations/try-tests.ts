import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { filesWithRule } from './rule-tests.ts';

/** "hung": ended from outside after `boundMs`, with all that it had started. */
export type TestRun = 'passed' | 'failed' | 'hung';

/** The first test that fails ends the run: one that waits in vain waits a minute, and a rule has many. */
export function vitestOf(copy: string, rule: number): string[] {
  const only = ['-t', `rule ${rule}: `, '--bail', '1'];
  return [
    join(copy, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    'unit',
    ...filesWithRule(copy, rule),
    ...only,
  ];
}

/** Runs Node with `args` in a process group of its own, so that one that does not end can be ended with its workers. */
export async function runBounded(
  args: readonly string[],
  { cwd, boundMs }: { readonly cwd: string; readonly boundMs: number },
): Promise<TestRun> {
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore', detached: true });
  let hung = false;
  function end(): void {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
  // Who gives up waiting leaves no tests running.
  process.once('exit', end);
  const timer = setTimeout(() => {
    hung = true;
    end();
  }, boundMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  clearTimeout(timer);
  process.off('exit', end);
  if (hung) return 'hung';
  return code === 0 ? 'passed' : 'failed';
}

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpuNanoseconds } from '../../src/io/procfs/cpu-time.ts';

/** Clock ticks a second in /proc/PID/stat. */
const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;
const canPin = spawnSync('taskset', ['-c', '1', 'true']).status === 0;

/** The proxy runs on one core, engine and client on another, where the machine has two and `taskset`. */
export function pinned(argv: readonly string[], core: number): string[] {
  return canPin ? ['taskset', '-c', String(core), ...argv] : [...argv];
}

export function start(argv: readonly string[], options: { env?: NodeJS.ProcessEnv } = {}): ChildProcess {
  const [program = '', ...args] = argv;
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: options.env ?? process.env });
}

/** The first line of a process's output; rejects when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once('exit', (code) =>
      reject(new Error(`${child.spawnfile} ended with ${code} before it was ready.`)),
    );
    child.once('error', reject);
  });
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(force);
}

/** A process and its children, theirs included. */
function tree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => tree(Number(child))))];
}

/** CPU time, user and system, of a process and its children, in microseconds; in ticks of the clock where the kernel tells it no finer. */
export function cpuMicros(pid: number): number {
  const all = tree(pid);
  const fine = all.map((one) => cpuNanoseconds('/proc', one));
  const nanoseconds = fine.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  if (!fine.includes(null) && nanoseconds > 0) return nanoseconds / 1000;
  const ticks = all.map((one) => {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return (ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond) * 1e6;
}

/** Memory of a process and its children, pages shared with others counted in part, in KiB. */
export function pssKib(pid: number): number {
  const sizes = tree(pid).map((one) => {
    const text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+) kB/m.exec(text)?.[1] ?? 0);
  });
  return sizes.reduce((sum, one) => sum + one, 0);
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const bin = join(root, 'bin/berth.js');
export const fakeEngine = join(root, 'test/support/fake-engine.mjs');
export const fakeVllm = join(root, 'test/support/fake-vllm.mjs');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The result of a command with --json. */
  readonly json: () => never;
}

/** A folder with a fleet file and a state of its own, and berth run in it as a user would. */
export interface Place {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly write: (text: string, name?: string) => void;
  readonly berth: (...args: string[]) => Promise<Ran>;
  /** A command that stays; its output so far can be read. */
  readonly spawn: (...args: string[]) => Running;
  /** Ends what was spawned and what engines are left, and removes the folder. */
  readonly close: () => Promise<void>;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: () => { stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
}

export function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'berth test '));
  const env: Record<string, string> = { BERTH_STATE_DIR: join(folder, 'state') };
  for (const name of ['PATH', 'HOME', 'NODE_COMPILE_CACHE', 'BERTH_FROM_SOURCE'])
    env[name] = process.env[name] ?? '';
  const started: Running[] = [];

  function start(args: readonly string[]): Running {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const exited = new Promise<number | null>((done) => void child.on('close', (code) => done(code)));
    return { child, pid: child.pid as number, output: () => ({ stdout, stderr }), exited };
  }

  return {
    folder,
    env,
    write: (text, name = 'berth.yaml') => writeFileSync(join(folder, name), text),
    berth: async (...args) => {
      const running = start(args);
      const code = await running.exited;
      const { stdout, stderr } = running.output();
      return { code, stdout, stderr, json: () => JSON.parse(stdout) as never };
    },
    spawn: (...args) => {
      const running = start(args);
      started.push(running);
      return running;
    },
    close: async () => {
      for (const running of started) {
        if (running.child.exitCode === null && running.child.signalCode === null)
          running.child.kill('SIGKILL');
        await running.exited;
      }
      for (const pid of enginesOf(folder)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What still runs with a mark that names this folder: a failed test must leave no engine behind. */
function enginesOf(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const environ = Number.isInteger(pid) ? readFileSync(`/proc/${pid}/environ`, 'utf8') : '';
        return environ.includes('BERTH_MARK=') && environ.includes(`"logFile":"${folder}/`);
      } catch {
        return false;
      }
    });
}

/** Asks again until the answer is there; a test's own time limit ends the waiting. */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  limitMs = 90_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Below the ports that the kernel gives to clients, and beside those that berth takes by itself. */
const testPorts = { from: 20_000, to: 32_000 } as const;

/**
 * Ports that were free a moment ago, one after the other in the machine's numbering or not. No client's connection can
 * take one of them, so that it stays free while what listens there is started again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(testPorts.from, testPorts.to);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Whether a listener could have that port now. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

/** The line of a fleet file that gives its engines ports of their own, whatever else runs berth on this machine. */
export function ownPorts(): string {
  const from = randomInt(testPorts.from, testPorts.to);
  return `hosts: {local: {ports: ${from}-${from + 40}}}`;
}

export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Clock ticks since boot at which a process was started: with the pid its identity. */
export function startTicks(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

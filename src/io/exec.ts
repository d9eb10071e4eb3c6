import type * as ChildProcess from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Ending } from '../domain/instance.ts';
import type { Child, ChildOptions } from './child.ts';
import { writeFault } from './system-fault.ts';

export interface ExecResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly input?: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface DetachedOptions {
  readonly env: Record<string, string>;
  readonly cwd: string;
  /** Appended to; both stdout and stderr. */
  readonly logFile: string;
}

export interface Exec {
  /** Runs to the end and collects the output. A program that is missing gives code null and the reason in stderr. */
  readonly run: (argv: readonly string[], options?: ExecOptions) => Promise<ExecResult>;
  /**
   * Starts a process in a session of its own that outlives us. Rejects when the program cannot be executed. `ended` resolves only
   * where it ends before we do.
   */
  readonly detach: (
    argv: readonly string[],
    options: DetachedOptions,
  ) => Promise<{ pid: number; ended: Promise<Ending> }>;
  /** Starts a process that is ours to talk to and to end: lines out, text in. Rejects when it cannot be executed. */
  readonly start: (argv: readonly string[], options?: ChildOptions) => Promise<Child>;
  /** Starts a program whose input and output are one stream of bytes, and which ends with it. The stream fails where it does. */
  readonly pipe: (argv: readonly string[]) => Promise<Duplex>;
  /**
   * False when the process is gone already; of a group (a negative pid) when all are. `startTicks` is when the process, or the
   * leader of the group, began: another one of the same pid gets no signal. It counts where asking and acting are far apart.
   */
  readonly kill: (pid: number, signal: NodeJS.Signals | 0, startTicks?: number) => boolean | Promise<boolean>;
}

/** Loaded with the first program that is started: it and what it needs take a tenth of a bare start. */
function childProcess(): Promise<typeof ChildProcess> {
  return import('node:child_process');
}

async function run(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { spawn } = await childProcess();
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program ?? '', args, {
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // Not spawn's own time-out: that one keeps us alive to its end when the program is missing.
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(giveUp, options.timeoutMs);
    function giveUp(): void {
      child.kill('SIGKILL');
      // What it started itself may hold the pipes open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: null, signal: null, stdout, stderr: stderr || error.message });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

async function detach(...[argv, options]: Parameters<Exec['detach']>): ReturnType<Exec['detach']> {
  const { spawn } = await childProcess();
  const [program, ...args] = argv;
  const log = openLog(options.logFile);
  return new Promise<{ pid: number; ended: Promise<Ending> }>((resolve, reject) => {
    const child = spawn(program ?? '', args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env,
      cwd: options.cwd,
    });
    const ended = new Promise<Ending>(
      (end) => void child.once('exit', (code, signal) => end({ code, signal })),
    );
    child.once('spawn', () => {
      child.unref();
      resolve({ pid: child.pid as number, ended });
    });
    child.once('error', reject);
  }).finally(() => closeSync(log));
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw writeFault(path, error);
  }
}

async function start(...how: Parameters<Exec['start']>): ReturnType<Exec['start']> {
  const { startChild } = await import('./child.ts');
  return startChild(...how);
}

async function pipe(argv: readonly string[]): Promise<Duplex> {
  const [{ spawn }, { pipeOf }] = await Promise.all([childProcess(), import('./pipe-child.ts')]);
  const [program = '', ...args] = argv;
  return pipeOf(spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export const localExec: Exec = { run, detach, start, pipe, kill };

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { sessionArgv } from './arguments.ts';
import { commandFor, framed, readFrame } from './script.ts';
import type { Framed } from './script.ts';

export interface SessionOptions {
  /** What the script reads from its standard input. */
  readonly input?: string | Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** `late`: it was given up; else what ssh said where the script did not come to its end. */
export type Outcome =
  | { readonly done: Framed }
  | { readonly done: null; readonly late: boolean; readonly said: string };

/** Runs a script to its end over an open connection. */
export function runSession(
  { where, socket }: { where: string; socket: string },
  body: string,
  options: SessionOptions,
): Promise<Outcome> {
  const nonce = randomBytes(12).toString('hex');
  const script = framed(body, nonce);
  const [program = '', ...args] = sessionArgv(where, socket, commandFor(script));
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const stdout: Buffer[] = [];
    let stderr = '';
    let late = false;
    function giveUp(): void {
      late = true;
      child.kill('SIGKILL');
    }
    const timer = setTimeout(giveUp, options.timeoutMs);
    options.signal?.addEventListener('abort', giveUp, { once: true });
    function end(): void {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', giveUp);
      const done = readFrame(Buffer.concat(stdout), stderr, nonce);
      resolve(done ? { done } : { done, late, said: stderr });
    }
    child.stdout.on('data', (part: Buffer) => stdout.push(part));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => {});
    child.once('error', (error) => {
      stderr ||= error.message;
      end();
    });
    child.once('close', end);
    child.stdin.write(script);
    child.stdin.end(options.input ?? '');
  });
}

/** A script that runs on while we talk to it. It ends when its input does. */
export interface OpenSession {
  readonly onLine: (listener: (line: string) => void) => void;
  readonly write: (text: string) => void;
  readonly closeInput: () => void;
  /** Cuts it off here; there it sees its input end. */
  readonly cut: () => void;
  /** With the end of what it wrote to its standard error. */
  readonly ended: Promise<{ code: number | null; said: string }>;
}

export function openSession(
  { where, socket }: { where: string; socket: string },
  script: string,
): OpenSession {
  const [program = '', ...args] = sessionArgv(where, socket, commandFor(script));
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const listeners: ((line: string) => void)[] = [];
  const early: string[] = [];
  let rest = '';
  let stderr = '';
  child.stdin.on('error', () => {});
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (listeners.length === 0) early.push(line);
      for (const listener of listeners) listener(line);
    }
  });
  child.stdin.write(script);
  return {
    onLine: (listener) => {
      listeners.push(listener);
      for (const line of early.splice(0)) listener(line);
    },
    write: (text) => void child.stdin.write(text),
    closeInput: () => void child.stdin.end(),
    cut: () => void child.kill('SIGKILL'),
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: null, said: error.message }));
      child.once('close', (code) => resolve({ code, said: stderr }));
    }),
  };
}

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { sessionArgv } from './arguments.ts';
import { commandFor, framed, isWhole, readFrame, workerScript } from './script.ts';
import type { Outcome, SessionOptions } from './session.ts';

/** A shell that waits on the other machine and runs one script after the other. */
export interface Worker {
  readonly run: (body: string, options: SessionOptions) => Promise<Outcome>;
  readonly alive: () => boolean;
  readonly end: () => void;
}

interface Task {
  readonly nonce: string;
  readonly stdout: Buffer[];
  stderr: string;
  readonly finish: (outcome: Outcome) => void;
}

export function startWorker({ where, socket }: { where: string; socket: string }): Worker {
  const [program = '', ...args] = sessionArgv(where, socket, commandFor(workerScript));
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let task: Task | null = null;
  let gone = false;
  let said = '';

  function look(): void {
    if (!task) return;
    if (!isWhole(task.stdout, task.stderr, task.nonce)) return;
    const done = readFrame(Buffer.concat(task.stdout), task.stderr, task.nonce);
    if (done) task.finish({ done });
  }
  function end(): void {
    gone = true;
    task?.finish({ done: null, late: false, said: said + task.stderr });
  }
  child.stdin.on('error', () => {});
  child.stdout.on('data', (part: Buffer) => {
    task?.stdout.push(part);
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (task) task.stderr += text;
    else said = (said + text).slice(-2048);
    look();
  });
  child.once('error', end);
  child.once('close', end);
  child.stdin.write(workerScript);

  function run(body: string, options: SessionOptions): Promise<Outcome> {
    const nonce = randomBytes(12).toString('hex');
    const script = framed(body, nonce);
    const input = options.input ?? '';
    return new Promise((resolve) => {
      // What still runs there cannot be told to stop: this shell is given up with it.
      function giveUp(): void {
        task?.finish({ done: null, late: true, said: '' });
        gone = true;
        child.kill('SIGKILL');
      }
      const timer = setTimeout(giveUp, options.timeoutMs);
      options.signal?.addEventListener('abort', giveUp, { once: true });
      task = {
        nonce,
        stdout: [],
        stderr: '',
        finish: (outcome) => {
          task = null;
          clearTimeout(timer);
          options.signal?.removeEventListener('abort', giveUp);
          resolve(outcome);
        },
      };
      child.stdin.write(`${Buffer.byteLength(script)} ${Buffer.byteLength(input)}\n${script}`);
      child.stdin.write(input);
      if (gone) end();
    });
  }

  return { run, alive: () => !gone, end: () => void child.stdin.end() };
}

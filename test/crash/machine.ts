import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startTicks } from '../support/berth.ts';
import type { Ran } from '../support/berth.ts';

export const root = resolve(import.meta.dirname, '../..');
const hook = join(import.meta.dirname, 'kill-at.mjs');

/** Where in its effects a command ends by SIGKILL; null: it does not. */
export interface Moment {
  /** Which of its effects, or which one of that kind, from 0. */
  readonly effect: number;
  readonly kind?: string;
  readonly when: 'before' | 'after';
  readonly delayMs?: number;
}

/** Where engines run, and how berth is run there. */
export interface CrashMachine {
  readonly name: string;
  readonly folder: string;
  /** What stands before a command that is to run there. */
  readonly enter: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A deployment of that target, as a flow mapping of YAML, whose engine has this word in its command line. */
  readonly deployment: (options: DeploymentOptions) => string;
  /** Lines of the fleet file beside its deployments. */
  readonly more: readonly string[];
  /** Starts something like an engine that berth did not make, with this word in its command line; returns how it ends. */
  readonly startStranger: (word: string) => Promise<() => Promise<void>>;
  /** What the target has made there, whether it runs or not: a kind and a name a line. */
  readonly objects: () => string[] | Promise<string[]>;
  readonly stop: () => void;
}

export interface DeploymentOptions {
  readonly word: string;
  readonly slots: number;
  /** Pinned; null: of the pool. */
  readonly port: number | null;
  /** Ends by itself while starting. */
  readonly crashes: boolean;
  readonly ownKey: boolean;
}

/** Runs berth there, and ends it at that moment. Its effects are in the file `log`. */
export function runBerth(
  machine: CrashMachine,
  args: readonly string[],
  { log, moment }: { log: string; moment: Moment | null },
): Promise<Ran & { killed: boolean }> {
  const own = [process.execPath, '--import', hook, join(root, 'bin/berth.js'), ...args];
  const [program = '', ...words] = [...machine.enter, ...own];
  const env: Record<string, string> = {
    BERTH_STATE_DIR: join(machine.folder, 'state'),
    BERTH_CRASH_LOG: log,
    ...(moment ? { BERTH_CRASH_AT: JSON.stringify(moment) } : {}),
    ...machine.env,
  };
  for (const name of ['PATH', 'HOME', 'NODE_COMPILE_CACHE', 'BERTH_FROM_SOURCE'])
    env[name] = process.env[name] ?? '';
  const child = spawn(program, words, { cwd: machine.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  return new Promise((done) => {
    child.on('close', (code, signal) =>
      done({
        code,
        stdout,
        stderr,
        killed: signal === 'SIGKILL' || code === 137,
        json: () => JSON.parse(stdout) as never,
      }),
    );
  });
}

/** Processes of this machine, namespaces included, with that text in their command line: pid, start time and the word. */
export function enginesWith(text: string): { pid: number; started: string; word: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const word = words.find((one) => one.startsWith(text));
      // What starts an engine has its words too; the engine itself is the last of them.
      return word && !words.includes('--import') ? [{ pid, started: startTicks(pid), word }] : [];
    } catch {
      return [];
    }
  });
}

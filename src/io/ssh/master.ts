import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { masterArgv } from './arguments.ts';
import { connectFault, lastLine } from './faults.ts';
import { probeScript, readProbe } from './probe.ts';
import type { HostFacts } from './probe.ts';
import { commandFor } from './script.ts';

/** One process of ssh with an open connection, which sessions and forwards go over. */
export interface Master {
  readonly facts: HostFacts;
  readonly alive: () => boolean;
  /** What ssh has said last. */
  readonly said: () => string;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  readonly close: () => Promise<void>;
}

/** Time to come to a session, login scripts included. */
const openMs = 30_000;
/** Time that what is still open gets to end by itself. */
const closeMs = 2_000;
const keptBytes = 8_192;

/** Connects. Throws why that cannot be; `signal` gives it up. */
export function openMaster(where: string, socket: string, signal: AbortSignal): Promise<Master> {
  const nonce = randomBytes(12).toString('hex');
  const script = probeScript(nonce);
  const [program = '', ...args] = masterArgv(where, socket, commandFor(script));
  // In a session of its own: Ctrl-C in the terminal must not cut off what berth still has to put right there.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let stdout = '';
  let stderr = '';
  let gone = false;
  child.stdin.on('error', () => {});
  child.stdin.write(script);
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-keptBytes)));
  const ended = new Promise<void>((resolve) => {
    function end(): void {
      gone = true;
      resolve();
    }
    child.once('error', end);
    child.once('close', end);
  });
  async function close(): Promise<void> {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGTERM'), closeMs);
    await ended;
    clearTimeout(timer);
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGTERM');
      reject(new BerthError('HOST_SLOW', { host: where, doing: 'connecting', seconds: openMs / 1000 }));
    }, openMs);
    child.once('error', () =>
      reject(new BerthError('PROGRAM_MISSING', { program: 'ssh', needed: `the host ${where}` })),
    );
    child.once('close', () => reject(connectFault(where, stderr)));
    function giveUp(): void {
      child.kill('SIGTERM');
    }
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    void ended.then(() => clearTimeout(timer));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const facts = readProbe(stdout, nonce);
      if (!facts) return;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      child.stdout.removeAllListeners('data').resume();
      if (facts.lacks.length > 0) {
        void close();
        reject(new BerthError('HOST_LACKS', { host: where, lacks: facts.lacks }));
      } else resolve({ facts, alive: () => !gone, said: () => lastLine(stderr), ended, close });
    });
  });
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ScanReport } from '../../../src/domain/scan-report.ts';
import type { ScannedServer } from '../../../src/domain/scan-report.ts';

const root = resolve(import.meta.dirname, '../../..');

/** A folder of programs that are named like model servers, and what was started from it; gone when disposed. */
export interface Fakes {
  readonly dir: string;
  /** Path of an executable script of this name (as Python's entry points are: an interpreter with a script). */
  readonly program: (name: string) => string;
  /** Resolves once the server says that it listens. `pid` is the server's, whatever stands in front of it. */
  readonly start: (
    argv: readonly string[],
    env?: Record<string, string>,
  ) => Promise<{ pid: number; port: number; launcher: number }>;
  readonly [Symbol.dispose]: () => void;
}

export function createFakes(): Fakes {
  const dir = mkdtempSync(join(tmpdir(), 'berth-scan-'));
  // The line that names the interpreter takes no spaces, and the path of this Node may have some.
  symlinkSync(process.execPath, join(dir, 'node'));
  const running: ChildProcess[] = [];
  const pids: number[] = [];
  return {
    dir,
    program: (name) => {
      const path = join(dir, name);
      const code = readFileSync(join(import.meta.dirname, 'fake-server.cjs'), 'utf8');
      writeFileSync(path, `#!${join(dir, 'node')}\n${code}`);
      chmodSync(path, 0o755);
      copyFileSync(join(root, 'test/recorded/llama-server/help-0.7.txt'), `${path}.help`);
      return path;
    },
    start: async ([program = '', ...args], env = {}) => {
      // A group of its own, so that what a shell started ends with it.
      const child = spawn(program, args, {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      running.push(child);
      const said = await firstLine(child);
      pids.push(said.pid);
      return { ...said, launcher: child.pid ?? 0 };
    },
    [Symbol.dispose]: () => {
      for (const pid of pids) endProcess(pid);
      for (const child of running) endProcess(-(child.pid ?? 0));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function endProcess(pid: number): void {
  if (pid === 0) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function firstLine(child: ChildProcess): Promise<{ pid: number; port: number }> {
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`The fake server ended with ${code} before it listened.`)));
    if (!child.stdout) return fail(new Error('no output'));
    createInterface(child.stdout).once('line', (line) =>
      done(JSON.parse(line) as { pid: number; port: number }),
    );
  });
}

/** A port that was free a moment ago, for servers that name theirs on the command line. */
export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Runs `berth` as a user does, with these words; no file, no network but loopback. */
export function berth(
  words: readonly string[],
  cwd: string = tmpdir(),
): Promise<{ code: number | null; out: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, 'bin/berth.js'), ...words], {
      cwd,
      env: process.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.once('error', fail);
    child.once('close', (code) => done({ code, out }));
  });
}

/** What `berth --json` says; parsed by the schema it promises. */
export async function scanReport(cwd?: string): Promise<ScanReport> {
  const { out } = await berth(['--json', '--timeout', '8s'], cwd);
  return ScanReport.parse(JSON.parse(out));
}

export function serverOf(report: ScanReport, pid: number): ScannedServer | undefined {
  return report.servers.find((server) => server.process.pid === pid);
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { programArgv } from '../../src/io/program.ts';

export interface Side {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Name of the CPU backend that the process has loaded, as its memory map tells. */
  readonly backend: string;
  readonly stop: () => Promise<void>;
}

/** What both sides are given alike. */
export interface Setup {
  readonly model: string;
  readonly threads: number;
  readonly slots: number;
  /** Tokens per slot. */
  readonly context: number;
}

export async function startEmbedded(setup: Setup): Promise<Side> {
  const port = await freePort();
  const argv = programArgv(
    'embedded',
    flags({
      model: setup.model,
      port,
      threads: setup.threads,
      slots: setup.slots,
      context: setup.context,
      decoder: process.env['BERTH_DECODER'] ?? 'auto',
    }),
  );
  return start('embedded', argv, port);
}

export async function startLlamaServer(binary: string, setup: Setup): Promise<Side> {
  const port = await freePort();
  const settings = flags({
    model: setup.model,
    host: '127.0.0.1',
    port,
    threads: setup.threads,
    'threads-batch': setup.threads,
    parallel: setup.slots,
    'ctx-size': setup.context * setup.slots,
    'flash-attn': 'auto',
    'cache-ram': 0,
    'n-gpu-layers': 0,
  });
  const argv = [binary, ...settings, '--no-webui'];
  return start('llama-server', argv, port);
}

function flags(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** Processor time that a process and its threads have used so far; in ticks of a hundredth of a second. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Burns one core until it is stopped. */
export function startBusy(): { stop: () => Promise<void> } {
  const child = spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' });
  return { stop: () => end(child) };
}

async function start(name: string, argv: readonly string[], port: number): Promise<Side> {
  const [program, ...args] = argv;
  const child = spawn(program as string, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended at start: ${said}`);
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (answer?.ok) {
      const pid = child.pid as number;
      return { name, port, pid, backend: backendOf(pid), stop: () => end(child) };
    }
    await delay(200);
  }
  await end(child);
  throw new Error(`${name} was not ready within two minutes: ${said}`);
}

function backendOf(pid: number): string {
  const map = readFileSync(`/proc/${pid}/maps`, 'utf8');
  return /libggml-cpu-([\w.]+)\.so/.exec(map)?.[1] ?? 'unknown';
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(forced);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

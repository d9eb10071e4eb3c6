import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { programArgv } from '../../src/io/program.ts';
import { until } from './harness.ts';

export interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly file: string;
  readonly events: Record<string, unknown>[];
  /** What it has written to stderr. */
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
  readonly saw: (event: string) => Promise<Record<string, unknown>>;
  readonly url: () => Promise<string>;
}

/** The gateway as a process of its own, gone when the test ends. `node`: flags for the Node that runs it. */
export async function runProgram(
  config: GatewayConfig | string,
  args: string[] = [],
  node: string[] = [],
): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-gateway-'));
  const file = join(folder, 'gateway.json');
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  const [program = '', ...rest] = programArgv('gateway', ['--config', file, ...args]);
  const child = spawn(program, [...node, ...rest]);
  const events: Record<string, unknown>[] = [];
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) events.push(JSON.parse(line) as Record<string, unknown>);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (errors += part));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  });
  async function saw(name: string): Promise<Record<string, unknown>> {
    await until(`"${name}" is said`, () => events.some(({ event }) => event === name));
    return events.findLast(({ event }) => event === name) ?? {};
  }
  return {
    child,
    file,
    events,
    stderr: () => errors,
    ended,
    saw,
    url: async () => {
      const { listen } = (await saw('listening')) as { listen: { port: number }[] };
      return `http://127.0.0.1:${listen[0]?.port}`;
    },
  };
}

/** Flags with which the process answers `probed`. */
export const probeFlags = ['--expose-gc', '--import', new URL('heap-probe.mjs', import.meta.url).href];

export interface Probe {
  /** Bytes, after all garbage has been collected. */
  readonly heap: number;
  readonly arrayBuffers: number;
  /** Sockets that are open. */
  readonly sockets: number;
}

/** What the process holds now; it was started with `probeFlags`. */
export async function probed({ child, events }: Program): Promise<Probe> {
  const seen = events.length;
  child.kill('SIGUSR2');
  await until('it has looked', () => events.length > seen);
  return events.at(-1) as unknown as Probe;
}

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { planAnswer } from '../../src/bench/truth/plan-answer.ts';
import { TruthCase } from '../../src/bench/truth/truth-case.ts';
import { firstLine, start, stop } from '../gateway/processes.ts';

/** An answer that the server of the benchmark has ready; a prompt asks for it by "case=NAME". */
export interface Play {
  readonly name: string;
  readonly truth: z.input<typeof TruthCase>;
  readonly stream?: boolean;
  /** The number that the case counts its requests by (every n-th has a fault); 1 where none is said. */
  readonly number?: number;
}

export interface TruthOptions {
  /** Answers at once; 0: no limit. */
  readonly slots?: number;
  /** Answers begin shifted against each other within so much time: streams in step would come in one wake-up. */
  readonly spreadMicros?: number;
  /** Cases are played in turn also to those who ask for whole answers. */
  readonly whole?: boolean;
}

/** What the server did with one request, in µs of the machine's monotonic clock. */
export interface TruthEntry {
  readonly number: number;
  readonly play: string;
  readonly received: number;
  readonly begun: number;
  /** Each write that carried tokens. */
  readonly writes: readonly { readonly at: number; readonly tokens: number }[];
}

export interface TruthStats {
  readonly requests: number;
  readonly events: number;
  readonly open: number;
  readonly now: number;
}

export interface TruthServer {
  readonly url: string;
  readonly pid: number;
  readonly stats: () => Promise<TruthStats>;
  /** Ends it; the log by request number. */
  readonly end: () => Promise<Map<number, TruthEntry>>;
}

/** Null when there is no C compiler. */
export function compileTruth(folder: string): string | null {
  const program = join(folder, 'truth');
  const source = join(import.meta.dirname, 'truth.c');
  const { status } = spawnSync('cc', ['-O2', '-o', program, source], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return status === 0 ? program : null;
}

/** The answers as the C program reads them: made by the very plan that the server of `berth bench selftest` plays. */
function scriptOf(
  plays: readonly Play[],
  { slots = 0, spreadMicros = 0, whole = false }: TruthOptions,
): Buffer {
  const parts: (string | Buffer)[] = [`slots ${slots} spread-us ${spreadMicros} whole ${Number(whole)}\n`];
  for (const { name, truth, stream = true, number = 1 } of plays) {
    const request = { chat: true, stream, maxTokens: 16, promptTokens: 10, number };
    const plan = planAnswer(TruthCase.parse(truth), request);
    const { status, contentType, ending, holdOpenMs, writes } = plan;
    parts.push(`case ${name} ${status} ${contentType} ${ending} ${holdOpenMs * 1000} ${writes.length}\n`);
    for (const { atMs, tokens, bytes } of writes)
      parts.push(`${Math.round(atMs * 1000)} ${tokens} ${bytes.length}\n`, bytes);
    parts.push('\n');
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

let started = 0;

export async function startTruth(
  program: string,
  folder: string,
  plays: readonly Play[],
  options: TruthOptions = {},
): Promise<TruthServer> {
  started += 1;
  const script = join(folder, `script-${started}`);
  const log = join(folder, `log-${started}`);
  writeFileSync(script, scriptOf(plays, options));
  const child = start([program, script, log]);
  const url = `http://127.0.0.1:${await firstLine(child)}`;
  return {
    url,
    pid: child.pid as number,
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as TruthStats,
    end: async () => {
      await stop(child);
      return readLog(log);
    },
  };
}

function readLog(path: string): Map<number, TruthEntry> {
  const entries = new Map<number, TruthEntry>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [number, play = '', received, begun, ...writes] = line.split(' ');
    if (!number) continue;
    entries.set(Number(number), {
      number: Number(number),
      play,
      received: Number(received),
      begun: Number(begun),
      writes: writes.map((write) => {
        const [at, tokens] = write.split(':').map(Number);
        return { at: at as number, tokens: tokens as number };
      }),
    });
  }
  return entries;
}

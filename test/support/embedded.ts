import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from '../../src/io/child.ts';
import { localFiles } from '../../src/io/files.ts';
import { programArgv } from '../../src/io/program.ts';
import { makeModel } from '../../src/model-files/make-model.ts';

export interface Running {
  readonly port: number;
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => boolean;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  /** Lines of stderr so far. */
  readonly said: readonly string[];
}

/** A folder with a small random model, the same in every run. Give it back with `remove`. */
export async function randomModel(): Promise<{ folder: string; path: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-embedded-'));
  const path = join(folder, 'random.gguf');
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path });
  return { folder, path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts the program itself; resolves when the port is open, which is before the model is loaded. */
export async function startProgram(
  model: string,
  flags: readonly string[] = [],
  nodeFlags: readonly string[] = [],
): Promise<Running> {
  const said: string[] = [];
  const [node = '', ...words] = programArgv('embedded', ['--model', model, '--threads', '1', ...flags]);
  const child = await startChild([node, ...nodeFlags, ...words], {
    onErrorLine: (line) => said.push(line),
  });
  const opened = Promise.withResolvers<number>();
  async function read(): Promise<void> {
    for await (const line of child.lines) {
      const event = JSON.parse(line) as { event: string; listen?: { port: number }[] };
      if (event.event === 'listening') opened.resolve(event.listen?.[0]?.port ?? 0);
    }
    opened.reject(new Error(`ended before it listened: ${said.join('\n')}`));
  }
  void read();
  const port = await opened.promise;
  return { port, pid: child.pid, kill: child.kill, exited: child.exited, said };
}

/** The same, and waits until it answers. */
export async function startReady(
  model: string,
  flags: readonly string[] = [],
  nodeFlags: readonly string[] = [],
): Promise<Running> {
  const running = await startProgram(model, flags, nodeFlags);
  await until(async () => (await get(running, '/health')).status === 200);
  return running;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, loosely: tests say what they expect of it. */
  readonly json: () => Json;
}

/** Some JSON: any path can be asked for, and what is found is unknown until `countOf` or `wordsOf` says. */
export interface Json {
  readonly [key: string]: Json;
}

export function countOf(value: unknown): number {
  if (typeof value !== 'number') throw new Error(`not a number: ${JSON.stringify(value)}`);
  return value;
}

export function wordsOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`not a text: ${JSON.stringify(value)}`);
  return value;
}

export async function get(to: Running, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return toAnswer(await fetch(`http://127.0.0.1:${to.port}${path}`, { headers }));
}

export async function post(
  to: Running,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return toAnswer(await fetch(`http://127.0.0.1:${to.port}${path}`, { method: 'POST', body: text, headers }));
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Json };
}

/** Events of a streamed body, without the closing [DONE], which must be there. */
export function eventsOf(text: string): Json[] {
  const events = text.split('\n\n').filter(Boolean);
  if (events.pop() !== 'data: [DONE]') throw new Error(`no [DONE] at the end of: ${text.slice(-200)}`);
  return events.map((event) => JSON.parse(event.replace(/^data: /, '')) as Json);
}

export interface OpenStream {
  /** Resolves with the first bytes. */
  readonly first: Promise<void>;
  readonly text: () => string;
  /** Resolves with everything once the server ended it. */
  readonly whole: Promise<string>;
  /** Leaves, as a client that is killed does. */
  readonly leave: () => void;
}

/** A request on a connection of its own that can be left at any time. */
export function openStream(to: Running, path: string, body: unknown): OpenStream {
  const first = Promise.withResolvers<void>();
  const whole = Promise.withResolvers<string>();
  let text = '';
  const request = http.request(
    { port: to.port, host: '127.0.0.1', path, method: 'POST', agent: false },
    (response) => {
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        first.resolve();
      });
      response.on('error', () => {}).on('end', () => whole.resolve(text));
    },
  );
  request.on('error', () => {}).end(JSON.stringify(body));
  return { first: first.promise, text: () => text, whole: whole.promise, leave: () => request.destroy() };
}

/** Polls until it holds; fails after twenty seconds. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    if (await holds()) return;
    await delay(10);
  }
  throw new Error(`did not come to hold: ${holds.toString()}`);
}

/** One figure of /metrics; series with labels are named with them. */
export async function metric(of: Running, name: string): Promise<number> {
  const { text } = await get(of, '/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? Number.NaN);
}

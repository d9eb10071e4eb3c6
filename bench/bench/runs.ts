import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile, sortedCopy } from '../../src/stats/percentile.ts';
import type { Load, Tool, ToldRequest } from '../lib/tools/contract.ts';
import type { TruthEntry, TruthServer } from './truth.ts';

/** Clock ticks of 10 ms, as Linux has them. */
const tickMicros = 10_000;
/** A tool that needs longer than this to begin is counted as one that does not. */
const startMs = 60_000;

interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly folder: string;
  readonly ended: Promise<number | null>;
  readonly tail: () => string;
}

/** A client under way; given back, it is ended with all that it started. */
export function startClient(client: Tool, url: string, load: Load, parent: string): Running {
  const folder = mkdtempSync(join(parent, `${client.name}-`));
  const [program = '', ...args] = client.argv(url, load, folder);
  // A group of its own: these tools start processes that outlive them.
  const child = spawn(program, args, {
    cwd: folder,
    detached: true,
    env: client.env(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(-2000)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid as number,
    folder,
    ended,
    tail: () => text.trim().split('\n').slice(-3).join(' | '),
    [Symbol.asyncDispose]: async () => {
      endGroup(child.pid as number);
      await ended;
    },
  };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has gone already.
  }
}

/** CPU time of a process and all below it, in µs. */
function treeMicros(root: number): number {
  const parents = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      parents.set(Number(name), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      });
    } catch {
      // It has ended meanwhile.
    }
  }
  function isBelow(pid: number): boolean {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)?.parent)
      if (at === root) return true;
    return false;
  }
  let ticks = 0;
  for (const [pid, one] of parents) if (isBelow(pid)) ticks += one.ticks;
  return ticks * tickMicros;
}

/** µs of the client's CPU for one streamed chunk, taken while all streams are busy and its code has run for a while. */
export async function cpuPerChunk(
  client: Tool,
  server: TruthServer,
  run: { streams: number; warmUpMs: number; measureMs: number; folder: string },
): Promise<number> {
  const load = { streams: run.streams, seconds: (run.warmUpMs + run.measureMs) / 1000 + 20 };
  await using running = startClient(client, server.url, load, run.folder);
  const begun = Date.now();
  while ((await server.stats()).open < 0.9 * run.streams) {
    if (Date.now() - begun > startMs) throw new Error(`${client.name} did not begin: ${running.tail()}`);
    await delay(50);
  }
  await delay(run.warmUpMs);
  const before = { cpu: treeMicros(running.pid), events: (await server.stats()).events };
  await delay(run.measureMs);
  const after = { cpu: treeMicros(running.pid), events: (await server.stats()).events };
  return (after.cpu - before.cpu) / (after.events - before.events);
}

/** Runs a client to its end; what it told of each request. */
export async function toldBy(client: Tool, url: string, load: Load, folder: string): Promise<ToldRequest[]> {
  await using running = startClient(client, url, load, folder);
  const code = await Promise.race([
    running.ended,
    delay((load.seconds ?? 60) * 1000 + 240_000, 'late' as const, { ref: false }),
  ]);
  if (code === 'late') throw new Error(`${client.name} did not end: ${running.tail()}`);
  if (!client.read) throw new Error(`${client.name} tells nothing of its requests.`);
  return client.read(running.folder);
}

export interface Errors {
  readonly requests: number;
  readonly ttftP99Ms: number;
  readonly gapP99Ms: number;
}

/** How far what a client tells is from what the server did. */
export function errorsOf(told: readonly ToldRequest[], log: ReadonlyMap<number, TruthEntry>): Errors {
  const ttft: number[] = [];
  const gap: number[] = [];
  for (const each of told) {
    const entry = log.get(each.number);
    const first = entry?.writes[0];
    const last = entry?.writes.at(-1);
    if (!entry || !first || !last || entry.writes.length < 2) continue;
    if (each.ttftMs === null || each.tpotMs === null) continue;
    ttft.push(Math.abs(each.ttftMs - (first.at - entry.received) / 1000));
    gap.push(Math.abs(each.tpotMs - (last.at - first.at) / (entry.writes.length - 1) / 1000));
  }
  if (ttft.length === 0) throw new Error('no request that was told of is in the log of the server');
  return {
    requests: ttft.length,
    ttftP99Ms: percentile(sortedCopy(ttft), 0.99),
    gapP99Ms: percentile(sortedCopy(gap), 0.99),
  };
}

/** p99 of how late requests came, by the server's clock and the schedule that fits best; the first second is left out. */
export function lagP99Ms(log: ReadonlyMap<number, TruthEntry>, rate: number, seconds: number): number {
  const arrivals = sortedCopy([...log.values()].map(({ received }) => received)).subarray(rate);
  // What never came is as late as can be.
  if (arrivals.length < 0.95 * rate * (seconds - 1)) return Number.POSITIVE_INFINITY;
  const late = arrivals.map((at, i) => (at - (i * 1e6) / rate) / 1000);
  const least = late.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return percentile(sortedCopy(late.map((each) => each - least)), 0.99);
}

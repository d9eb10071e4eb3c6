// The gateway beside nginx as a plain reverse proxy, on the same engine: `npm run bench:gateway [-- --quick]`.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportGoals } from '../lib/goals.ts';
import type { Goal } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';
import { cpuMicros, firstLine, pinned, pssKib, start, stop } from './processes.ts';
import { startGateway, startNginx } from './sides.ts';
import type { Side } from './sides.ts';

const quick = process.argv.includes('--quick');
const pairs = quick ? 3 : 7;
const seconds = quick ? 2 : 4;
const streams = quick ? 100 : 200;
/** Between two events of a stream: 50 tokens a second. */
const gapMicros = 20_000;
const endless = 1_000_000;
const loadCore = 0;
/** Long enough for Node to have compiled what is hot: what is compared is how a gateway runs, not how it starts. */
const warmUpSeconds = quick ? 2 : 8;

/** What the client saw in one run; times in microseconds. */
interface Seen {
  readonly replies: number;
  readonly events: number;
  readonly failed: number;
  readonly first_p50: number;
  readonly delay_p50: number;
  readonly delay_p99: number;
}

interface Load {
  readonly connections: number;
  readonly seconds: number;
  readonly events: number;
  readonly gapMicros: number;
}

/** The figures that could not be taken, each with the reason. */
function absent(reason: string): Goal[] {
  return goals(
    { perEvent: null, perRequest: null, delayMs: null, firstMs: null, kibPerStream: null },
    reason,
  );
}

interface Figures {
  readonly perEvent: number | null;
  readonly perRequest: number | null;
  readonly delayMs: number | null;
  readonly firstMs: number | null;
  readonly kibPerStream: number | null;
}

function goals(figures: Figures, note?: string): Goal[] {
  const more = note === undefined ? {} : { note };
  return [
    { name: 'gateway.cpu-per-event', value: figures.perEvent, bound: { atLeast: 0.65 }, ...more },
    { name: 'gateway.cpu-per-request', value: figures.perRequest, bound: { atLeast: 0.4 }, ...more },
    { name: 'gateway.event-delay-p99-over-nginx-ms', value: figures.delayMs, bound: { atMost: 5 }, ...more },
    { name: 'gateway.added-ttft-p50-ms', value: figures.firstMs, bound: { atMost: 0.3 }, ...more },
    { name: 'gateway.kib-per-open-stream', value: figures.kibPerStream, bound: { atMost: 60 }, ...more },
  ];
}

async function load(client: string, port: number, options: Load): Promise<Seen> {
  const { connections, events } = options;
  const args = [port, connections, options.seconds, events, options.gapMicros].map(String);
  const line = await firstLine(start(pinned([client, ...args], loadCore)));
  const seen = JSON.parse(line) as Seen;
  if (seen.failed > 0 || seen.replies + seen.events === 0)
    throw new Error(`The client met ${seen.failed} failures and ${seen.replies} replies: no figure.`);
  return seen;
}

/** Microseconds of the proxy's CPU for one unit (an event, a request); more of what was seen goes to `onSeen`. */
async function cpuPer(
  side: Side,
  client: string,
  options: Load,
  onSeen: (seen: Seen) => void = () => {},
): Promise<number> {
  const before = cpuMicros(side.pid);
  const seen = await load(client, side.port, options);
  const spent = cpuMicros(side.pid) - before;
  onSeen(seen);
  return spent / (options.events > 0 ? seen.events : seen.replies);
}

/**
 * KiB that a proxy needs more while so many streams are open than right after it began to serve. A fresh process each
 * time: one that has been busy has memory in hand, and would seem to need none.
 */
async function kibPerStream(begin: () => Promise<Side>, client: string): Promise<number> {
  const connections = quick ? 400 : 1000;
  const side = await begin();
  try {
    await load(client, side.port, { connections: 4, seconds: 1, events: 5, gapMicros: 1000 });
    const before = pssKib(side.pid);
    const args = [side.port, connections, 5, endless, 200_000].map(String);
    const [program = '', ...rest] = pinned([client, ...args], loadCore);
    const running = spawn(program, rest, { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const during = pssKib(side.pid);
    await stop(running);
    return (during - before) / connections;
  } finally {
    await stop(side.child);
  }
}

async function compare(
  sides: { gateway: Side; nginx: Side; begin: Record<'gateway' | 'nginx', () => Promise<Side>> },
  engine: number,
  client: string,
): Promise<Figures> {
  const { gateway, nginx, begin } = sides;
  const perEventLoad = { connections: streams, seconds, events: endless, gapMicros };
  const delays: Record<string, number[]> = { nginx: [], gateway: [] };
  function perEvent(side: Side): Promise<number> {
    return cpuPer(side, client, perEventLoad, (seen) => delays[side.name]?.push(seen.delay_p99 / 1000));
  }
  await load(client, gateway.port, { ...perEventLoad, seconds: warmUpSeconds });
  const events = await interleavedPairs(pairs, {
    first: () => perEvent(nginx),
    second: () => perEvent(gateway),
  });
  say('CPU per event', events, 'µs');
  const small = { connections: 32, seconds: seconds / 2, events: 0, gapMicros: 0 };
  await load(client, gateway.port, { ...small, seconds: warmUpSeconds });
  const requests = await interleavedPairs(pairs, {
    first: () => cpuPer(nginx, client, small),
    second: () => cpuPer(gateway, client, small),
  });
  say('CPU per small request', requests, 'µs');
  const one = { connections: 1, seconds: seconds / 2, events: 3, gapMicros: 1000 };
  const first = await interleavedPairs(pairs, {
    first: async () => (await load(client, engine, one)).first_p50,
    second: async () => (await load(client, gateway.port, one)).first_p50,
  });
  console.log(
    `TTFT p50 at 1 stream: direct ${median(first.first).toFixed(0)} µs, gateway ${median(first.second).toFixed(0)} µs`,
  );
  const memory = await interleavedPairs(
    quick ? 1 : 3,
    { first: () => kibPerStream(begin.nginx, client), second: () => kibPerStream(begin.gateway, client) },
    { warmUp: false },
  );
  say('memory per open stream', memory, 'KiB');
  // The first entry of each is the warm-up's.
  const [ofNginx, ofGateway] = [delays['nginx'] ?? [], delays['gateway'] ?? []].map((all) => all.slice(1));
  console.log(
    `event delay p99: nginx ${median(ofNginx ?? []).toFixed(2)} ms, gateway ${median(ofGateway ?? []).toFixed(2)} ms`,
  );
  return {
    perEvent: median(events.ratios),
    perRequest: median(requests.ratios),
    delayMs: median((ofGateway ?? []).map((value, i) => value - (ofNginx?.[i] ?? Number.NaN))),
    firstMs: median(first.second.map((value, i) => value - (first.first[i] ?? Number.NaN))) / 1000,
    kibPerStream: median(memory.second),
  };
}

function say(
  what: string,
  { first, second }: { first: readonly number[]; second: readonly number[] },
  unit: string,
) {
  console.log(
    `${what}: nginx ${median(first).toFixed(1)} ${unit}, gateway ${median(second).toFixed(1)} ${unit}`,
  );
}

/** Compiles the engine and the client, which must cost less than what they measure; null when there is no compiler. */
function compile(folder: string): { engine: string; client: string } | null {
  for (const name of ['engine', 'client']) {
    const source = join(import.meta.dirname, `${name}.c`);
    const { status } = spawnSync('cc', ['-O2', '-o', join(folder, name), source], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) return null;
  }
  return { engine: join(folder, 'engine'), client: join(folder, 'client') };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-gateway-'));
  chmodSync(folder, 0o755);
  const running: { child: Side['child'] }[] = [];
  try {
    const programs = compile(folder);
    if (!programs) return reportGoals(absent('no C compiler named cc'));
    if (spawnSync('nginx', ['-v']).status !== 0) return reportGoals(absent('nginx is not installed'));
    const child = start(pinned([programs.engine], loadCore));
    running.push({ child });
    const engine = Number(await firstLine(child));
    const begin = {
      nginx: () => startNginx(mkdtempSync(join(folder, 'nginx-')), engine),
      gateway: () => startGateway(folder, engine),
    };
    const nginx = await begin.nginx();
    running.push(nginx);
    const gateway = await begin.gateway();
    running.push(gateway);
    console.log(`${machineLine()}, ${pairs} interleaved pairs, ${streams} streams at 50 events a second`);
    reportGoals(goals(await compare({ gateway, nginx, begin }, engine, programs.client)));
  } finally {
    for (const one of running.reverse()) await stop(one.child);
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();

// The benchmark's client beside others, on one server with a known schedule:
// `npm run bench:bench [-- --quick] [--only cpu|rate|accuracy]`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reportGoals } from '../lib/goals.ts';
import type { Goal } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { median } from '../lib/pairs.ts';
import { berth } from '../lib/tools/berth.ts';
import type { Tool } from '../lib/tools/contract.ts';
import { findAiperf, findGuideLlm } from '../lib/tools/peers.ts';
import type { Absent } from '../lib/tools/peers.ts';
import { nodeHttp, prepareAiohttp } from './clients.ts';
import { cpuPerChunk, errorsOf, lagP99Ms, toldBy } from './runs.ts';
import { compileTruth, startTruth } from './truth.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const effort = values.quick
  ? { pairs: 1, warmUpMs: 3000, measureMs: 3000, seconds: 6 }
  : { pairs: 3, warmUpMs: 4000, measureMs: 5000, seconds: 10 };

type Peer = Tool | Absent;

interface Bench {
  readonly folder: string;
  readonly program: string;
  readonly peers: { readonly aiohttp: Peer; readonly guidellm: Peer; readonly aiperf: Peer };
}

/** A figure that can fail on one side must not cost those of the others. */
async function goal(
  name: string,
  bound: Goal['bound'],
  peer: Peer,
  measure: (client: Tool) => Promise<number>,
): Promise<Goal> {
  if ('absent' in peer) return { name, bound, value: null, note: peer.absent };
  try {
    return { name, bound, value: await measure(peer) };
  } catch (error) {
    return { name, bound, value: null, note: error instanceof Error ? error.message : String(error) };
  }
}

async function cpu({ folder, program, peers }: Bench): Promise<Goal[]> {
  const plays = [{ name: 'load', truth: { ttftMs: 20, itlMs: 20, tokens: 100, stampIn: 'text' as const } }];
  const server = await startTruth(program, folder, plays, { spreadMicros: 20_000 });
  const run = { ...effort, streams: 100, folder };
  async function ratio(peer: Tool): Promise<number> {
    const ratios: number[] = [];
    for (let i = 0; i < effort.pairs; i += 1) {
      const ours = await cpuPerChunk(berth, server, run);
      const theirs = await cpuPerChunk(peer, server, run);
      console.log(`CPU for a chunk: berth ${ours.toFixed(1)} µs, ${peer.name} ${theirs.toFixed(1)} µs`);
      ratios.push(ours / theirs);
    }
    return median(ratios);
  }
  try {
    return [
      await goal('bench.node-http.cpu-per-chunk', { atMost: 0.5 }, nodeHttp, ratio),
      await goal('bench.aiohttp.cpu-per-chunk', { atMost: 0.5 }, peers.aiohttp, ratio),
      await goal('bench.guidellm.cpu-per-chunk', { atMost: 0.25 }, peers.guidellm, ratio),
      await goal('bench.aiperf.cpu-per-chunk', { atMost: 0.25 }, peers.aiperf, ratio),
    ];
  } finally {
    await server.end();
  }
}

/** The highest rate of a ladder at which requests come less than 5 ms late, p99; 0 when there is none. */
async function highestRate(client: Tool, ladder: readonly number[], bench: Bench): Promise<number> {
  const plays = [{ name: 'load', truth: { ttftMs: 0, itlMs: 0, tokens: 1, roleFirst: false } }];
  const seconds = Math.min(6, effort.seconds);
  let best = 0;
  for (const rate of ladder) {
    const server = await startTruth(bench.program, bench.folder, plays);
    try {
      await toldBy({ ...client, read: () => [] }, server.url, { rate, seconds }, bench.folder);
    } finally {
      const lag = lagP99Ms(await server.end(), rate, seconds);
      console.log(`${client.name} at ${rate} requests/s: ${lag.toFixed(2)} ms late (p99)`);
      if (lag < 5) best = rate;
    }
    if (best < rate) break;
  }
  return best;
}

const ladder = [25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1200, 1600, 2400, 3200, 4800, 6400, 9600];
/** For who is late at the foot of it already. */
const lower = [1, 2, 5, 10];

async function rate(bench: Bench): Promise<Goal[]> {
  const { guidellm, aiperf } = bench.peers;
  const ours = await highestRate(
    berth,
    ladder.filter((each) => each >= 400),
    bench,
  );
  async function times(peer: Tool): Promise<number> {
    const theirs = (await highestRate(peer, ladder, bench)) || (await highestRate(peer, lower, bench));
    if (theirs === 0) throw new Error(`${peer.name} is 5 ms late at ${lower[0]} requests a second already`);
    return ours / theirs;
  }
  return [
    await goal('bench.guidellm.rate', { atLeast: 5 }, guidellm, times),
    await goal('bench.aiperf.rate', { atLeast: 1 }, aiperf, times),
  ];
}

async function accuracy({ folder, program, peers }: Bench): Promise<Goal[]> {
  const plays = [{ name: 'load', truth: { ttftMs: 100, itlMs: 50, tokens: 60, stampIn: 'text' as const } }];
  async function errors(client: Tool) {
    const server = await startTruth(program, folder, plays, { spreadMicros: 50_000 });
    const told = await toldBy(client, server.url, { streams: 500, seconds: effort.seconds }, folder);
    const found = errorsOf(told, await server.end());
    console.log(
      `${client.name} with 500 streams: TTFT off by ${found.ttftP99Ms.toFixed(2)} ms, mean gap by ` +
        `${found.gapP99Ms.toFixed(3)} ms (p99 of ${found.requests} requests)`,
    );
    return found;
  }
  const ours = await errors(berth);
  async function against(name: string, bound: Goal['bound'], peer: Peer): Promise<Goal[]> {
    const names = [`bench.${name}.ttft-error`, `bench.${name}.gap-error`];
    const found = 'absent' in peer ? new Error(peer.absent) : await errors(peer).catch((e: Error) => e);
    return names.map((of, i) => {
      if (found instanceof Error) return { name: of, bound, value: null, note: found.message };
      const key = i === 0 ? 'ttftP99Ms' : 'gapP99Ms';
      return { name: of, bound, value: ours[key] / found[key] };
    });
  }
  return [
    ...(await against('guidellm', { atMost: 0.2 }, peers.guidellm)),
    ...(await against('aiperf', { atMost: 1 }, peers.aiperf)),
  ];
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-bench-'));
  try {
    const program = compileTruth(folder);
    if (!program) {
      console.log('Nothing was measured: there is no C compiler named cc.');
      return;
    }
    console.log(`${machineLine()}, ${effort.pairs} interleaved pairs`);
    const peers = { aiohttp: prepareAiohttp(), guidellm: findGuideLlm(), aiperf: findAiperf() };
    const bench = { folder, program, peers };
    const goals: Goal[] = [];
    for (const [name, part] of Object.entries({ cpu, rate, accuracy }))
      if (!values.only || values.only.includes(name)) goals.push(...(await part(bench)));
    reportGoals(goals);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();

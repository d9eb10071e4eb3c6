import type { Goal } from '../lib/goals.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';
import { cpuPer, runLoad, shortStreams, warmUp, wholeStreams } from './load.ts';
import type { Load, Seen } from './load.ts';
import type { Peer } from './peers.ts';
import type { Side } from './sides.ts';

/** How long and how often is measured. */
export interface Effort {
  readonly pairs: number;
  readonly seconds: number;
  /** Of each stream: long enough that its beginning and end, which small requests have too, are little beside its events. */
  readonly streamSeconds: number;
  /** Long enough for a runtime to have compiled what is hot: what is compared is how a gateway runs, not how it starts. */
  readonly warmUpSeconds: number;
  /** How often short streams begin and end side by side before: what that costs is compiled by how often it was done, not by how long. */
  readonly beginnings: number;
}

/** What a runtime must have seen to have compiled what is hot, however little its peer can bear. */
const warmUpStreams = 200;

/** With fewer each event has a turn of the loop for itself, which costs any proxy more than the event. */
const fullCore = 200;

export interface Sides {
  readonly client: string;
  readonly engine: Side;
  readonly gateway: Side;
  readonly peer: Side;
  /** nginx beside another peer, to say what a proxy that looks at nothing needs there; null where it is not there, or the peer itself. */
  readonly floor: Side | null;
}

/** The peer and our gateway in turn on the same engine under the same load: CPU per event and per small request, and what each adds to the first token. */
export async function compareWith(peer: Peer, sides: Sides, effort: Effort): Promise<Goal[]> {
  const { bounds, name } = peer;
  const streams = wholeStreams(peer.streams, effort.streamSeconds);
  const small = { connections: peer.connections, seconds: effort.seconds / 2, events: 0, gapMicros: 0 };
  await warmUp(sides.client, sides.gateway, wholeStreams(warmUpStreams, effort.warmUpSeconds));
  await warmUp(sides.client, sides.peer, wholeStreams(peer.streams, effort.warmUpSeconds));
  for (const [side, many] of [
    [sides.gateway, warmUpStreams],
    [sides.peer, peer.streams],
  ] as const)
    for (let i = 0; i < effort.beginnings; i += 1) await warmUp(sides.client, side, shortStreams(many));
  const events = await cpuInTurn(sides, streams, effort);
  const floor = sides.floor && (await eventsOf(sides.client, sides.floor, { load: streams, effort }));
  const full =
    peer.streams < fullCore
      ? await eventsOf(sides.client, sides.gateway, {
          load: wholeStreams(fullCore, effort.streamSeconds),
          effort,
        })
      : null;
  for (const side of [sides.gateway, sides.peer])
    await warmUp(sides.client, side, { ...small, seconds: effort.warmUpSeconds });
  const requests = await cpuInTurn(sides, small, effort);
  const first = await firstInTurn(sides, effort);
  say(`${name}: CPU per event, ${peer.streams} streams`, events.cpu, 'µs');
  sayLess('nginx with as many streams', floor, events.cpu);
  sayLess(`gateway with ${fullCore} streams`, full, events.cpu);
  say(`${name}: CPU per small request`, requests.cpu, 'µs');
  const delays = [events.peer, events.ours].map((all) => median(all.map((seen) => seen.delay_p99 / 1000)));
  console.log(`${name}: event delay p99: ${delays[0]?.toFixed(2)} ms, gateway ${delays[1]?.toFixed(2)} ms`);
  return [
    goal(`${name}.cpu-per-event`, median(events.cpu.ratios), { atLeast: bounds.perEvent }),
    goal(`${name}.cpu-per-request`, median(requests.cpu.ratios), { atLeast: bounds.perRequest }),
    ...ttftGoals(peer, first),
    ...(name === 'nginx' ? nginxGoals(events, first) : []),
  ];
}

/** The rows of a peer that cannot be had here. */
export function absentRows({ name, bounds }: Peer, note: string): Goal[] {
  const ttft: Goal[] = ttftGoals({ name, bounds }, null);
  return [
    goal(`${name}.cpu-per-event`, null, { atLeast: bounds.perEvent }),
    goal(`${name}.cpu-per-request`, null, { atLeast: bounds.perRequest }),
    ...ttft,
  ].map((row) => ({ ...row, note }));
}

interface Turns {
  readonly cpu: { first: readonly number[]; second: readonly number[]; ratios: readonly number[] };
  readonly peer: readonly Seen[];
  readonly ours: readonly Seen[];
}

/** Microseconds that a proxy takes for one event, by itself. */
async function eventsOf(
  client: string,
  side: Side,
  { load, effort }: { load: Load; effort: Effort },
): Promise<number> {
  await warmUp(client, side, load);
  const all: number[] = [];
  for (let i = 0; i < effort.pairs; i += 2) all.push((await cpuPer(client, side, load)).cpu);
  return median(all);
}

async function cpuInTurn(sides: Sides, load: Load, effort: Effort): Promise<Turns> {
  const { client, gateway, peer } = sides;
  const seen: Record<'peer' | 'ours', Seen[]> = { peer: [], ours: [] };
  async function turn(side: Side, into: Seen[]): Promise<number> {
    const one = await cpuPer(client, side, load);
    into.push(one.seen);
    return one.cpu;
  }
  const cpu = await interleavedPairs(
    effort.pairs,
    { first: () => turn(peer, seen.peer), second: () => turn(gateway, seen.ours) },
    { warmUp: false },
  );
  return { cpu, ...seen };
}

/** Microseconds that a gateway adds to the first event of one stream at a time, by percentile. */
interface Added {
  readonly p50: number;
  readonly p99: number;
}

interface First {
  readonly peer: Added;
  readonly ours: Added;
}

async function firstInTurn({ client, engine, gateway, peer }: Sides, effort: Effort): Promise<First> {
  const load = { connections: 1, seconds: effort.seconds / 2, events: 3, gapMicros: 1000 };
  const seen: Seen[][] = [[], [], []];
  for (let i = 0; i < effort.pairs; i += 1) {
    for (const [at, side] of [engine, peer, gateway].entries())
      seen[at]?.push(await runLoad(client, side, load));
  }
  function over(at: number): Added {
    function by(key: 'first_p50' | 'first_p99'): number {
      return median((seen[at] ?? []).map((one, i) => one[key] - (seen[0]?.[i]?.[key] ?? Number.NaN)));
    }
    return { p50: by('first_p50'), p99: by('first_p99') };
  }
  const first = { peer: over(1), ours: over(2) };
  for (const [who, added] of Object.entries({ [peer.name]: first.peer, gateway: first.ours }))
    console.log(`added TTFT of ${who}: p50 ${added.p50.toFixed(0)} µs, p99 ${added.p99.toFixed(0)} µs`);
  return first;
}

function ttftGoals({ name, bounds }: Pick<Peer, 'name' | 'bounds'>, first: First | null): Goal[] {
  const { ttft } = bounds;
  return (['p50', 'p99'] as const).map((key) => {
    const [peer, ours] = [first?.peer[key] ?? Number.NaN, first?.ours[key] ?? Number.NaN];
    if ('timesLess' in ttft)
      return goal(`${name}.added-ttft-${key}-times-less`, first && peer / ours, { atLeast: ttft.timesLess });
    const bound = key === 'p50' ? ttft.p50OverMs : ttft.p99OverMs;
    return goal(`${name}.ttft-${key}-over-ms`, first && (ours - peer) / 1000, { atMost: bound });
  });
}

function nginxGoals(events: Turns, first: First): Goal[] {
  const over = events.ours.map(
    (seen, i) => (seen.delay_p99 - (events.peer[i]?.delay_p99 ?? Number.NaN)) / 1000,
  );
  return [
    goal('nginx.event-delay-p99-over-ms', median(over), { atMost: 5 }),
    goal('added-ttft-p50-ms', first.ours.p50 / 1000, { atMost: 0.3 }),
  ];
}

function goal(name: string, value: number | null, bound: Goal['bound']): Goal {
  return { name: `gateway.${name}`, value, bound };
}

function sayLess(what: string, micros: number | null, { first }: Turns['cpu']): void {
  if (micros === null) return;
  console.log(`${what}: ${micros.toFixed(1)} µs, ${(median(first) / micros).toFixed(1)} times less`);
}

function say(what: string, { first, second }: Turns['cpu'], unit: string): void {
  console.log(`${what}: ${median(first).toFixed(1)} ${unit}, gateway ${median(second).toFixed(1)} ${unit}`);
}

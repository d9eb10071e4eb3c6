import type { Strategy } from '../../domain/load-shape.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import { startLateRelay } from '../../io/late-relay.ts';
import { exponentialDistance, fano } from '../../stats/arrivals.ts';
import { seededRandom } from '../../stats/random.ts';
import { openSchedule } from '../load/arrivals.ts';
import type { SelftestCase } from './selftest-cases.ts';
import { runCase } from './selftest-run.ts';

/** A case that is about how requests are sent and counted together; gives what was wrong. */
export interface LoopCase {
  readonly name: string;
  readonly run: (url: string) => Promise<string[]>;
}

const base = {
  name: 'loop',
  requests: 8,
  streams: 4,
  stream: true,
  timeoutMs: 20_000,
  expect: { outcomes: {}, outputTokens: 16, events: 0, stalls: null },
} as const;

async function recordsOf(url: string, changes: Partial<SelftestCase> & Pick<SelftestCase, 'truth'>) {
  const { records } = await runCase(url, { ...base, ...changes });
  return records.sort((a, b) => a.scheduled - b.scheduled);
}

function open(process: 'constant' | 'poisson', rate: number): Extract<Strategy, { kind: 'open' }> {
  const arrivals = process === 'constant' ? { process } : ({ process: 'gamma', shape: 1 } as const);
  return { kind: 'open', arrivals, rate: [{ from: rate, to: rate, seconds: null }], maxInFlight: 1000 };
}

/** The number that the server gave the request. */
function numberOf({ responseId }: RequestRecord): number {
  return Number(responseId?.replace('truth-', ''));
}

/** Two slots and a service of 150 ms: eight requests take four rounds, however many streams ask. */
async function slots(url: string): Promise<string[]> {
  const truth = { ttftMs: 50, itlMs: 10, tokens: 11, slots: 2, roleFirst: false };
  const records = await recordsOf(url, { truth });
  const first = Math.min(...records.map(({ sent }) => sent ?? 0));
  const last = Math.max(...records.map(({ done }) => done));
  const waited = records.filter(({ firstToken, sent }) => (firstToken ?? 0) - (sent ?? 0) > 180_000);
  return [
    ...(records.length === 8 ? [] : [`${records.length} records, not 8`]),
    ...(last - first > 4 * 150_000 - 20_000 ? [] : ['eight requests took less than four rounds']),
    ...(waited.length >= 4 ? [] : [`${waited.length} requests waited for a slot, not 4 or more`]),
  ];
}

/** Starts by Poisson: their gaps are exponential (Kolmogorov-Smirnov), their counts vary as they must (Fano). */
async function arrivals(url: string): Promise<string[]> {
  const strategy = open('poisson', 100);
  const plan = { warmup: { kind: 'none' }, limits: { seconds: null, requests: 50_000 } } as const;
  const due = [...openSchedule(strategy, plan, seededRandom(1, 0)).due].map((at) => at / 1e6);
  const faults: string[] = [];
  const distance = exponentialDistance(due.map((at, i) => (at - (due[i - 1] ?? 0)) * 100));
  if (distance * Math.sqrt(due.length) > 1.63) faults.push('gaps between starts are not exponential');
  for (const [window, most] of [
    [1, 0.3],
    [10, 0.8],
  ] as const)
    if (Math.abs(fano(due, window) - 1) > most) faults.push(`counts in ${window} s do not vary as they must`);
  const truth = { ttftMs: 5, itlMs: 0, tokens: 1 };
  const records = await recordsOf(url, { truth, requests: 100, load: { strategy } });
  const expected = openSchedule(
    strategy,
    { ...plan, limits: { seconds: null, requests: 100 } },
    seededRandom(1, 0),
  ).due;
  const begin = (records[0]?.scheduled ?? 0) - (expected[0] ?? 0);
  if (records.length !== 100) faults.push(`${records.length} requests were started, not 100`);
  if (records.some(({ scheduled }, i) => Math.abs(scheduled - begin - (expected[i] ?? 0)) > 2))
    faults.push('a request was due at another moment than the schedule says');
  if (records.some(({ started, scheduled }) => (started ?? 0) < scheduled - 1))
    faults.push('a request was started before it was due');
  return faults;
}

/**
 * Two conversations of four turns: each turn is due exactly when its user has thought, in order, and has in front of it
 * all that was said before, the server's own answers among it.
 */
async function conversations(url: string): Promise<string[]> {
  const talk = { turns: 4, thinkSeconds: 0.03, system: 'Be brief' };
  const truth = { ttftMs: 5, itlMs: 1, tokens: 3, roleFirst: false, templateTokens: 0 };
  const strategy: Strategy = { kind: 'closed', streams: 2, talk };
  const records = await recordsOf(url, { truth, requests: 8, load: { strategy } });
  const faults = records.length === 8 ? [] : [`${records.length} turns were sent, not 8`];
  for (const number of new Set(records.map(({ session }) => session?.number))) {
    const turns = records.filter(({ session }) => session?.number === number);
    // Two words of a system prompt, two of each turn, and three of each answer.
    if (turns.some(({ prompt, session }, i) => session?.turn !== i || prompt.tokens !== 4 + 5 * i))
      faults.push(`conversation ${number} has turns out of order, or without what was said before`);
    if (turns.some(({ scheduled }, i) => i > 0 && scheduled !== (turns[i - 1]?.done ?? 0) + 30_000))
      faults.push(
        `conversation ${number} has a turn that was due at another moment than its user had thought`,
      );
    if (turns.some(({ started, scheduled }) => (started ?? 0) < scheduled))
      faults.push(`conversation ${number} has a turn that was sent before it was due`);
  }
  return faults;
}

/** One slot, every tenth answer 300 ms late, starts that do not wait: who comes meanwhile waits, and that is told. */
async function omission(url: string): Promise<string[]> {
  const truth = { ttftMs: 5, itlMs: 0, tokens: 1, slots: 1, roleFirst: false, slow: { every: 10, ms: 300 } };
  const records = await recordsOf(url, { truth, requests: 40, load: { strategy: open('constant', 40) } });
  const faults = records.length === 40 ? [] : [`${records.length} requests were started, not 40`];
  let free = 0;
  const short = records.filter((record, i) => {
    free = Math.max(free, record.scheduled) + (numberOf(record) % 10 === 0 ? 305_000 : 5000);
    // A timer of the server may fire 0.3 ms early, for each one in the queue.
    return (record.firstToken ?? record.done) < free - 500 * (i + 1);
  });
  if (short.length > 0) faults.push(`${short.length} latencies leave out time spent in the queue`);
  const overlapping = records.filter(({ started }, i) => (started ?? 0) < (records[i - 1]?.done ?? 0));
  return overlapping.length > 0 ? faults : [...faults, 'no request was started while another one waited'];
}

/** The first eight answers are 300 ms slower; they are the warm-up, and none of them is measured. */
async function warmup(url: string): Promise<string[]> {
  const truth = { ttftMs: 20, itlMs: 5, tokens: 4, cold: { first: 8, ms: 300 } };
  const records = await recordsOf(url, { truth, load: { warmup: { kind: 'requests', count: 8 } } });
  const wrong = records.filter((record) => (record.phase === 'warmup') !== numberOf(record) <= 8);
  return wrong.length === 0 ? [] : [`${wrong.length} requests are in the wrong phase`];
}

/**
 * Connections are there at once and read from only 400 ms later, as those that wait to be accepted: the first request of
 * each counts from its being written, whoever reads it.
 */
async function slowAccept(url: string): Promise<string[]> {
  const door = await startLateRelay(url, 400);
  const truth = { ttftMs: 20, itlMs: 5, tokens: 4, roleFirst: false };
  const records = await recordsOf(door.url, { truth }).finally(() => door.close());
  const good = records.filter(({ outcome }) => outcome === 'ok').length;
  // A quarter of the wait: how late this process told the door and the client of the connection is not the question.
  const waited = records.filter(({ firstToken, connected, sent }) => {
    return (firstToken ?? 0) - Math.max(connected ?? 0, sent ?? 0) > 100_000;
  }).length;
  return [
    ...(good === 8 ? [] : [`${good} requests were good, not 8`]),
    ...(waited >= door.taken()
      ? []
      : [`${door.taken()} requests waited to be read, and ${waited} tell of it`]),
  ];
}

/** Every fourth answer is ten times as long as the others; at the end of the time all are waited for, or counted. */
async function cutOff(url: string): Promise<string[]> {
  const truth = { ttftMs: 20, itlMs: 20, tokens: 5, long: { every: 4, tokens: 50 } };
  const waited = await recordsOf(url, { truth, load: { seconds: 0.5, drainSeconds: 30 } });
  const lost = waited.filter(
    (record) => record.outcome !== 'ok' || record.output.tokens !== (numberOf(record) % 4 === 0 ? 50 : 5),
  );
  const cut = await recordsOf(url, {
    truth: { ...truth, ttftMs: 21 },
    load: { seconds: 0.5, drainSeconds: 0 },
  });
  const censored = cut.filter(({ outcome }) => outcome === 'censored');
  return [
    ...(lost.length === 0 ? [] : [`${lost.length} answers were not waited for to their end`]),
    ...(censored.length > 0 ? [] : ['what was cut was not counted as cut']),
    ...(censored.every(({ phase }) => phase === 'measured') ? [] : ['what was cut was not measured']),
  ];
}

/** Bursts and pauses of a trace, twice as fast: each request is due when the trace says, with the length it has there. */
async function replay(url: string): Promise<string[]> {
  const at = [0, 0, 3, 40, 41, 200, 200, 200, 260, 300].map((ms) => ms * 1000);
  const timed = {
    due: Float64Array.from(at),
    at: (number: number) => ({
      content: `Tell ${number}`,
      promptTokens: { tokens: 2 + number, source: null },
      outputTokens: 1 + number,
    }),
  };
  const strategy: Strategy = {
    kind: 'open',
    arrivals: { process: 'trace', speed: 2 },
    rate: [],
    maxInFlight: 100,
  };
  const records = await recordsOf(url, {
    truth: { ttftMs: 5, itlMs: 1 },
    load: { strategy, timed },
    requests: 9,
  });
  const begin = records[0]?.scheduled ?? 0;
  const lengths = records.map(({ output }) => output.tokens).toSorted((a, b) => (a ?? 0) - (b ?? 0));
  return [
    ...(records.length === 9 ? [] : [`${records.length} requests were started, not 9`]),
    ...(records.every(({ scheduled }, i) => scheduled - begin === (at[i] as number) / 2)
      ? []
      : ['a request was due at another moment than the trace says']),
    ...(records.every(({ started, scheduled }) => (started ?? 0) >= scheduled - 1)
      ? []
      : ['a request was started before it was due']),
    ...(lengths.every((length, i) => length === i + 1) ? [] : ['a request had not the length of its trace']),
  ];
}

export const loopCases: readonly LoopCase[] = [
  { name: 'two slots and four streams', run: slots },
  { name: 'starts by Poisson', run: arrivals },
  { name: 'starts of a trace', run: replay },
  { name: 'conversations with time to think', run: conversations },
  { name: 'a queue before a server of two speeds', run: omission },
  { name: 'connections that are accepted late', run: slowAccept },
  { name: 'a warm-up that is slow', run: warmup },
  { name: 'long answers at the end of the time', run: cutOff },
];

import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { Calibration } from '../../domain/run/report.ts';
import type { World } from '../../io/world.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';
import { latenciesOf, stallsOf } from '../analyse/latencies.ts';
import type { Latencies } from '../analyse/latencies.ts';
import { startTruthProcess } from '../load/calibrate.ts';
import { selftestCases } from './selftest-cases.ts';
import type { SelftestCase } from './selftest-cases.ts';
import { loopCases } from './selftest-loops.ts';
import { runCase } from './selftest-run.ts';
import type { CaseRun } from './selftest-run.ts';
import { stampErrors, timeFaults } from './selftest-stamps.ts';
import type { StampErrors } from './selftest-stamps.ts';
import { measureFloor } from '../truth/measure-floor.ts';
import { TruthCase } from '../truth/truth-case.ts';

interface Deviation {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly n: number;
}

export interface SelftestResult {
  readonly passed: boolean;
  /** From the moment the server wrote an event to the client's stamp, at a few numbers of streams. */
  readonly floor: readonly Calibration[];
  readonly cases: readonly {
    readonly name: string;
    /** Measured minus true; the delay of server and client together. Null where a case has no such time. */
    readonly ttft: Deviation | null;
    readonly itl: Deviation | null;
    /** Against the moment of writing that stands in each event: the client's own error. Null where none stands there. */
    readonly stamps: StampErrors | null;
    /** What was counted otherwise than it was sent. Empty: everything is right. */
    readonly faults: readonly string[];
  }[];
}

const floorStreams = [1, 10, 50] as const;

/**
 * Measures a server whose schedule is known with the very client of the benchmark: counts and classes must be exact,
 * times are reported as they come.
 */
export async function selftest(
  world: World,
  cases: readonly SelftestCase[] = selftestCases,
): Promise<SelftestResult> {
  await using server = await startTruthProcess(world);
  if (!server)
    throw new BerthError('BENCH_TARGET_DOWN', { url: 'truth server', reason: 'it does not start' });
  // A first round that nobody reads: it is code that has not run yet that is slow then, on both sides.
  const [first] = cases;
  if (first) await recordsOf(server.url, first);
  const done: SelftestResult['cases'][number][] = [];
  for (const each of cases) done.push(judge(each, await runCase(server.url, each)));
  for (const loop of loopCases)
    done.push({ name: loop.name, ttft: null, itl: null, stamps: null, faults: await loop.run(server.url) });
  const floor: Calibration[] = [];
  for (const streams of floorStreams) {
    const measured = await measureFloor(server.url, streams);
    if (measured) floor.push(measured);
  }
  return { passed: done.every((one) => one.faults.length === 0), floor, cases: done };
}

/** The records of one case, by the loop and the client that every run uses. */
export async function recordsOf(url: string, each: SelftestCase): Promise<RequestRecord[]> {
  return (await runCase(url, each)).records;
}

function judge(each: SelftestCase, run: CaseRun): SelftestResult['cases'][number] {
  const { records } = run;
  const truth = TruthCase.parse(each.truth);
  const latencies = latenciesOf(records);
  // Two events in one write come when the second is due; a stall is no error of the client.
  const timed = truth.cut !== 'pairs' && truth.stall === null && truth.slow === null && truth.jitterMs === 0;
  const stamps = truth.stampIn === 'text' ? stampErrors(run, truth.jitterMs > 0 ? null : truth.itlMs) : null;
  return {
    name: each.name,
    ttft: timed ? deviation(latencies.ttft, truth.ttftMs) : null,
    itl: timed ? deviation(latencies.itl, truth.itlMs) : null,
    stamps,
    faults: [
      ...(stamps ? timeFaults(stamps) : []),
      ...countFaults(each, records),
      ...stallFaults(each, latencies.itl),
    ],
  };
}

function deviation(measured: Latencies['ttft'], trueMs: number): Deviation | null {
  if (measured.length === 0) return null;
  const errors = sortedCopy(measured.map((value) => value - trueMs));
  const meanMs = errors.reduce((sum, value) => sum + value, 0) / errors.length;
  return { meanMs, p99Ms: percentile(sortedCopy(errors.map(Math.abs)), 0.99), n: errors.length };
}

function countFaults(each: SelftestCase, records: readonly RequestRecord[]): string[] {
  const faults: string[] = [];
  const counted: Record<string, number> = {};
  for (const { outcome } of records) counted[outcome] = (counted[outcome] ?? 0) + 1;
  for (const outcome of new Set([...Object.keys(counted), ...Object.keys(each.expect.outcomes)])) {
    const wanted = (each.expect.outcomes as Record<string, number>)[outcome] ?? 0;
    if ((counted[outcome] ?? 0) !== wanted)
      faults.push(`${counted[outcome] ?? 0} requests ended as ${outcome}, not ${wanted}`);
  }
  for (const record of records) {
    if (record.outcome !== 'ok') continue;
    if (record.events !== each.expect.events)
      faults.push(`request ${record.id} had ${record.events} events with tokens, not ${each.expect.events}`);
    if (record.output.tokens !== each.expect.outputTokens)
      faults.push(`request ${record.id} had ${record.output.tokens} tokens, not ${each.expect.outputTokens}`);
    faults.push(...reasoningFaults(each.expect.reasoning ?? 0, record));
    if (!each.stream && record.firstToken !== null)
      faults.push(`request ${record.id} was not streamed and has a first token`);
  }
  return faults;
}

/** The first output token is the first event behind so many of reasoning. */
function reasoningFaults(wanted: number, record: RequestRecord): string[] {
  const { id, reasoning, firstToken, firstContent, gaps } = record;
  const counted = reasoning?.tokens ?? 0;
  if (counted !== wanted) return [`request ${id} had ${counted} tokens of reasoning, not ${wanted}`];
  if (firstToken === null) return [];
  const due = gaps.slice(0, wanted).reduce((at, gap) => at + gap, firstToken);
  return firstContent === due
    ? []
    : [`request ${id} had its first output token at ${firstContent} µs, not at ${due}`];
}

function stallFaults(each: SelftestCase, itl: Latencies['itl']): string[] {
  if (each.expect.stalls === null) return [];
  const { count } = stallsOf(itl, percentile(sortedCopy(itl), 0.5));
  return count === each.expect.stalls ? [] : [`${count} stalls were counted, not ${each.expect.stalls}`];
}

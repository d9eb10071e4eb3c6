import { BerthError } from '../domain/errors/berth-error.ts';
import { runSchema } from '../domain/run/schema-version.ts';
import type { RequestRecord } from '../domain/run/record.ts';
import type { Calibration } from '../domain/run/report.ts';
import type { RunSpec } from '../domain/run/spec.ts';
import { createTimedClient } from '../io/timed-request.ts';
import type { World } from '../io/world.ts';
import { percentile, sortedCopy } from '../stats/percentile.ts';
import { latenciesOf, stallsOf } from './analyse/latencies.ts';
import { startTruthProcess } from './calibrate.ts';
import type { PromptSource } from './contract.ts';
import { allExtras, requestBody, requestHeaders, requestPath } from './request-body.ts';
import { runStage } from './run-stage.ts';
import { newStageState } from './stage-state.ts';
import { selftestCases } from './selftest-cases.ts';
import type { SelftestCase } from './selftest-cases.ts';
import { measureFloor } from './truth/measure-floor.ts';
import { TruthCase } from './truth/truth-case.ts';
import { monotonicMicroseconds } from '../io/clock.ts';

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
  for (const each of cases) done.push(judge(each, await recordsOf(server.url, each)));
  const floor: Calibration[] = [];
  for (const streams of floorStreams) {
    const measured = await measureFloor(server.url, streams);
    if (measured) floor.push(measured);
  }
  return { passed: done.every((one) => one.faults.length === 0), floor, cases: done };
}

/** The records of one case, by the loop and the client that every run uses. */
export async function recordsOf(url: string, each: SelftestCase): Promise<RequestRecord[]> {
  const origin = monotonicMicroseconds();
  function now(): number {
    return monotonicMicroseconds() - origin;
  }
  const spec = specOf(url, each);
  const client = createTimedClient(url, now);
  const records: RequestRecord[] = [];
  const source: PromptSource = {
    at: (id) => ({
      content: `Tell ${id}`,
      promptTokens: { tokens: null, source: null },
      outputTokens: each.expect.outputTokens,
    }),
    templateTokens: null,
    notes: [],
  };
  await runStage(
    { index: 0, strategy: { kind: 'closed', streams: each.streams }, spec, source, firstId: 0 },
    {
      client,
      now,
      request: (prompt) => ({
        path: requestPath(spec.target.api),
        headers: requestHeaders(null),
        body: requestBody(spec, JSON.stringify(each.truth), prompt, allExtras),
      }),
      onRecord: (record) => records.push(record),
      signal: new AbortController().signal,
    },
    newStageState(now()),
  );
  client.close();
  return records;
}

function specOf(url: string, each: SelftestCase): RunSpec {
  return {
    schema: runSchema,
    name: 'selftest',
    target: {
      url,
      api: 'chat',
      model: null,
      key: null,
      tokenizer: null,
      metrics: null,
      gpuMetrics: null,
      deployment: null,
      engine: null,
    },
    profile: { kind: 'concurrent', streams: [each.streams] },
    data: { kind: 'synthetic' },
    limits: { seconds: null, requests: each.requests, errors: null, errorRate: null },
    slo: null,
    thresholds: [],
    warmup: { kind: 'none' },
    drainSeconds: 60,
    timeoutSeconds: each.timeoutMs / 1000,
    stream: each.stream,
    temperature: null,
    ignoreEos: false,
    cache: 'cold',
    seed: 1,
    keepOutputs: false,
    calibrate: false,
  };
}

function judge(each: SelftestCase, records: readonly RequestRecord[]): SelftestResult['cases'][number] {
  const truth = TruthCase.parse(each.truth);
  const latencies = latenciesOf(records);
  // Two events in one write come when the second is due; a stall is no error of the client.
  const timed = truth.cut !== 'pairs' && truth.stall === null;
  return {
    name: each.name,
    ttft: timed ? deviation(latencies.ttft, truth.ttftMs) : null,
    itl: timed ? deviation(latencies.itl, truth.itlMs) : null,
    faults: [...countFaults(each, records), ...stallFaults(each, latencies.itl)],
  };
}

function deviation(measured: readonly number[], trueMs: number): Deviation | null {
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
    if (!each.stream && record.firstToken !== null)
      faults.push(`request ${record.id} was not streamed and has a first token`);
  }
  return faults;
}

function stallFaults(each: SelftestCase, itl: readonly number[]): string[] {
  if (each.expect.stalls === null) return [];
  const { count } = stallsOf(itl, percentile(sortedCopy(itl), 0.5));
  return count === each.expect.stalls ? [] : [`${count} stalls were counted, not ${each.expect.stalls}`];
}

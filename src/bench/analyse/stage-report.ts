import { runSchema } from '../../domain/run/schema-version.ts';
import type { Strategy } from '../../domain/load-shape.ts';
import type { Outcome, TokenCount, TokenSource } from '../../domain/run/record.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import { countsTooFew } from '../../domain/run/request-times.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { stops } from '../../domain/run/stop-reason.ts';
import type { StopReason } from '../../domain/run/stop-reason.ts';
import type { ServerSample } from '../../domain/run/server-sample.ts';
import type { EngineCounters, StageReport, TokenTotals } from '../../domain/run/stage-report.ts';
import { strategyLabel, streamsOf } from '../../domain/strategy.ts';
import { summarize } from '../../stats/summary.ts';
import { clientHealth } from './client-health.ts';
import type { ClientLoad } from './client-health.ts';
import { settledPart } from './settled.ts';
import { serverStage } from './server-stage.ts';
import { goodputOf } from './goodput.ts';
import { latenciesOf, stallsOf } from './latencies.ts';
import { concurrencyOf, openLoopOf } from './open-loop.ts';
import { conversationsOf } from './turns.ts';
import { spentOn } from './spent.ts';
import { stageSeries } from './stage-series.ts';
import { steadinessOf } from './steadiness.ts';
import { overallThroughput, steadyOver, tokensPerEvent } from './throughput.ts';
import { commonWindow, partsOf, steadyWindow, wholeSpan } from './window.ts';
import type { Span } from './window.ts';

export interface StageFacts {
  readonly index: number;
  readonly strategy: Strategy;
  readonly spec: RunSpec;
  readonly client: ClientLoad;
  readonly engine: EngineCounters | null;
  /** What was seen of the server during the stage. */
  readonly samples: readonly ServerSample[];
  /** Starts of an open loop that were dropped; null when nobody counted. */
  readonly dropped: number | null;
  /** Where the stage was gone on with after a break, on the run's clock; empty for most. */
  readonly seams: readonly { readonly clock: number; readonly lost: number }[];
  readonly stopped: StopReason | null;
  /** The window lies in it; absent: anywhere. */
  readonly within?: Span;
}

/** Everything that a stage's records tell. Pure: the same records and facts give the same report. */
export function stageReport(facts: StageFacts, records: readonly RecordRow[]): StageReport {
  const { spec, strategy } = facts;
  const measured = records.filter((record) => record.phase === 'measured');
  const good = measured.filter((record) => record.outcome === 'ok');
  const windows = windowsOf(facts, records);
  const window = windows.length === 0 ? null : windows.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a));
  const whole = wholeSpan(records);
  const latencies = latenciesOf(records);
  const options = { streams: streamsOf(strategy) ?? concurrencyOf(measured), seed: spec.seed };
  const itl = summarize(latencies.itl, options);
  const ttft = summarize(latencies.ttft, options);
  const steady = steadyOver(records, windows);
  const conversations = conversationsOf(records, { strategy, ...options });
  const report: StageReport = {
    schema: runSchema,
    index: facts.index,
    label: strategyLabel(strategy),
    strategy,
    window,
    ...(windows.length > 1 && { windows }),
    whole,
    requests: { ...countsOf(records, measured), ...lostOf(facts) },
    errors: errorsOf(measured),
    ttft,
    ttftScheduled: summarize(latencies.ttftScheduled, options),
    ttfot: summarize(latencies.ttfot, options),
    ttfotScheduled: summarize(latencies.ttfotScheduled, options),
    itl,
    itlMeanPerRequest: summarize(latencies.itlMeanPerRequest, options),
    tpot: summarize(latencies.tpot, options),
    e2e: summarize(latencies.e2e, options),
    e2eScheduled: summarize(latencies.e2eScheduled, options),
    ...(conversations && { conversations }),
    goodput: goodputOf(records, { slo: spec.slo, strategy, span: whole }),
    openLoop: strategy.kind === 'open' ? openLoopOf(measured, facts.dropped) : null,
    steadiness: steadinessOf(records, strategy),
    promptTokens: totals(good, ({ prompt }) => prompt),
    outputTokens: totals(good, ({ output }) => output),
    reasoningTokens: reasoningTotals(good),
    cachedTokens: good.some(({ cached }) => cached !== null)
      ? good.reduce((sum, { cached }) => sum + (cached ?? 0), 0)
      : null,
    tokensPerEvent: tokensPerEvent(measured),
    countsTooFew: good.filter(countsTooFew).length,
    steady,
    overall: whole && overallThroughput(records, whole),
    stalls: itl && stallsOf(latencies.itl, itl.p50),
    consistency: null,
    client: clientHealth(records, facts.client, ttft?.p50 ?? null),
    engine: facts.engine,
    stopped: facts.stopped,
    spent: { ...spentOn(records), until: lastEnd(records) },
    series: stageSeries(records, strategy),
    // Where the server went away, what came before would pass for a start-up.
    settled: window && !wentAway(facts.stopped) ? settledPart(records, window) : null,
    server: serverStage(facts.samples, { window }),
  };
  return { ...report, consistency: consistencyOf(report) };
}

function wentAway(stopped: StopReason | null): boolean {
  return stopped !== null && stops[stopped].exit === 'targetDown';
}

/** One for each part of the stage in which its load was whole. */
function windowsOf({ spec, strategy, seams, within }: StageFacts, records: readonly RecordRow[]): Span[] {
  const clocks = seams.map(({ clock }) => clock);
  return partsOf(records, clocks).flatMap((part) => {
    const { seconds } = spec.limits;
    return commonWindow(steadyWindow(part, { strategy, seconds }), within) ?? [];
  });
}

function lengthOf({ start, end }: Span): number {
  return end - start;
}

function lostOf({ seams }: StageFacts): { lost?: number } {
  const lost = seams.reduce((sum, seam) => sum + seam.lost, 0);
  return lost > 0 ? { lost } : {};
}

function lastEnd(records: readonly RecordRow[]): number {
  return records.reduce((latest, { done }) => Math.max(latest, done), 0);
}

function countsOf(records: readonly RecordRow[], measured: readonly RecordRow[]): StageReport['requests'] {
  let [ok, censored] = [0, 0];
  for (const { outcome } of measured) {
    if (outcome === 'ok') ok += 1;
    if (outcome === 'censored') censored += 1;
  }
  return {
    warmup: records.length - measured.length,
    measured: measured.length,
    ok,
    failed: measured.length - ok - censored,
    censored,
  };
}

/** Little's law backwards: what so many streams must deliver at these latencies, beside what was counted. */
function consistencyOf(report: StageReport): StageReport['consistency'] {
  const streams = report.strategy.talk ? null : streamsOf(report.strategy);
  const measured = report.steady?.outputTokensPerSecond;
  if (streams === null || !measured || !report.e2e || !report.outputTokens) return null;
  const implied = (streams * report.outputTokens.mean) / (report.e2e.mean / 1000);
  return {
    impliedTokensPerSecond: implied,
    measuredTokensPerSecond: measured,
    ratio: measured / implied,
  };
}

/** Faults of measured requests by class, most frequent first; censored ones are no faults. */
function errorsOf(measured: readonly RecordRow[]): StageReport['errors'] {
  const found = new Map<Outcome, { count: number; example: string | null }>();
  for (const record of measured) {
    const { outcome } = record;
    if (outcome === 'ok' || outcome === 'censored') continue;
    const known = found.get(outcome);
    found.set(outcome, { count: (known?.count ?? 0) + 1, example: known?.example ?? record.error });
  }
  return [...found]
    .map(([outcome, { count, example }]) => ({ outcome, count, example }))
    .sort((a, b) => b.count - a.count);
}

/** Where a server shows reasoning in its events, an answer without such an event had none. */
function reasoningTotals(good: readonly RecordRow[]): TokenTotals | null {
  if (!good.some(({ reasoning }) => reasoning)) return null;
  const shown = good.some(({ reasoning }) => reasoning?.source === 'events');
  return totals(good, ({ reasoning }) => ({
    asked: null,
    tokens: reasoning?.tokens ?? (shown ? 0 : null),
    source: reasoning?.source ?? null,
  }));
}

/** Null when a count is missing. `offTarget` compares with what was asked, where something was. */
function totals(good: readonly RecordRow[], countOf: (row: RecordRow) => TokenCount): TokenTotals | null {
  const sources = new Set<TokenSource>();
  let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [askedFor, offTarget] = [0, 0];
  for (const row of good) {
    const { asked, tokens, source } = countOf(row);
    if (tokens === null) return null;
    sum += tokens;
    min = Math.min(min, tokens);
    max = Math.max(max, tokens);
    if (source !== null) sources.add(source);
    if (asked !== null) askedFor += 1;
    if (asked !== null && asked !== tokens) offTarget += 1;
  }
  if (good.length === 0) return null;
  return {
    sum,
    mean: sum / good.length,
    min,
    max,
    offTarget: askedFor === 0 ? null : offTarget,
    sources: [...sources],
  };
}

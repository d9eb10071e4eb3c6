import type { Report } from '../../domain/run/report.ts';
import { soundStages } from './sound-stages.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { headlineOf } from '../../domain/strategy.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';
import { robustScore } from '../../stats/robust.ts';

/** The newest runs that a run is held against, and how few leave the spread unknown. */
const most = 20;
const fewest = 5;
const limit = 2.5;
/** A change on the log scale that is believed to be noise at least; and what counts while the spread is unknown. */
const leastNoise = 0.01;
const floor = 0.1;

/** How a figure of a run stands to those of the runs before it. */
export interface HistoryFigure {
  readonly stage: string;
  readonly metric: string;
  readonly unit: string;
  /** Median of the earlier runs. */
  readonly usual: number;
  readonly before: number | null;
  readonly value: number;
  /** Robust standard deviations to the worse; null: too few earlier runs, then a tenth worse is the limit. */
  readonly score: number | null;
  readonly scoreBefore: number | null;
  readonly verdict: 'regression' | 'suspect' | 'usual';
}

export interface History {
  readonly run: string;
  /** Runs of the same that it was held against, without the one before it. */
  readonly baseline: readonly string[];
  readonly before: string | null;
  readonly clientLimited: boolean;
  readonly figures: readonly HistoryFigure[];
}

/**
 * Holds a run against earlier ones of the same, oldest first. One bad run is suspect, two in a row are a regression: a
 * rule that looks at one run alone cries wolf at every tenth. Pure.
 */
export function judgeHistory(run: Report, earlier: readonly Report[]): History {
  const before = earlier.at(-1) ?? null;
  const baseline = earlier.slice(0, -1).slice(-most);
  return {
    run: run.id,
    baseline: baseline.map(({ id }) => id),
    before: before?.id ?? null,
    clientLimited: run.clientLimited,
    figures: soundStages(run).flatMap((stage) => figuresOf(stage, before, baseline)),
  };
}

const metrics: readonly {
  readonly name: string;
  readonly unit: string;
  /** 1: more is worse. */
  readonly sign: 1 | -1;
  readonly of: (stage: StageReport) => number | null | undefined;
}[] = [
  {
    name: 'output rate',
    unit: 'tok/s',
    sign: -1,
    of: (stage) => (stage.steady ?? stage.overall)?.outputTokensPerSecond,
  },
  { name: 'TTFT p50', unit: 'ms', sign: 1, of: (stage) => headlineOf(stage).ttft?.p50 },
  { name: 'TTFT p95', unit: 'ms', sign: 1, of: (stage) => headlineOf(stage).ttft?.p95 },
  { name: 'TPOT p50', unit: 'ms', sign: 1, of: (stage) => stage.tpot?.p50 },
  { name: 'E2E p50', unit: 'ms', sign: 1, of: (stage) => headlineOf(stage).e2e?.p50 },
];

function figuresOf(stage: StageReport, before: Report | null, baseline: readonly Report[]): HistoryFigure[] {
  function valueIn(report: Report, of: (stage: StageReport) => number | null | undefined): number | null {
    const same = report.stages.find(({ label }) => label === stage.label);
    return (same && of(same)) || null;
  }
  return metrics.flatMap(({ name, unit, sign, of }) => {
    const value = of(stage);
    const values = baseline.flatMap((report) => valueIn(report, of) ?? []);
    if (!value || values.length === 0) return [];
    const last = before && valueIn(before, of);
    const judged = [value, last].map((each) => (each ? worseBy(each, values, sign) : null));
    const [now, then] = judged;
    return [
      {
        stage: stage.label,
        metric: name,
        unit,
        usual: percentile(sortedCopy(values), 0.5),
        before: last,
        value,
        score: now?.score ?? null,
        scoreBefore: then?.score ?? null,
        verdict: !now?.bad ? 'usual' : then?.bad ? 'regression' : 'suspect',
      },
    ];
  });
}

function worseBy(
  value: number,
  earlier: readonly number[],
  sign: 1 | -1,
): { score: number | null; bad: boolean } {
  const logs = earlier.map((each) => sign * Math.log(each));
  const log = sign * Math.log(value);
  if (earlier.length < fewest) {
    const middle = percentile(sortedCopy(logs), 0.5);
    return { score: null, bad: log - middle > Math.log(1 + floor) };
  }
  const score = robustScore(log, logs, leastNoise);
  return { score, bad: score > limit };
}

/**
 * Two runs with the same key measured the same: model, engine with version and settings, machine, load and data. The
 * seed and the address may differ where the deployment is named.
 */
export function runKey({ spec, server, environment }: Report): string {
  const { engine } = server;
  return JSON.stringify([
    server.model,
    server.server,
    engine && [engine.kind, engine.version, engine.context, engine.slots, engine.model?.sha256, engine.argv],
    engine?.hardware ?? [environment.cpu, environment.cores],
    spec.target.deployment ?? spec.target.url,
    spec.target.api,
    spec.profile,
    spec.data,
    spec.limits,
    spec.warmup,
    spec.stream,
    spec.temperature,
    spec.ignoreEos,
    spec.cache,
  ]);
}

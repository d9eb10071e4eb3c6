import { compare, gateOf, thresholdParts } from '../../../domain/threshold.ts';
import type { Threshold } from '../../../domain/threshold.ts';
import type { Knee } from '../../../domain/run/knee.ts';
import type { Distribution, StageReport } from '../../../domain/run/stage-report.ts';
import { headlineOf } from '../../../domain/strategy.ts';
import { wilsonInterval } from '../../../stats/share.ts';

/** A load that was tried, by all its stages together. */
export interface Level {
  readonly level: number;
  readonly stages: readonly number[];
  readonly kept: boolean;
  /** Why it did not keep; empty: it did. */
  readonly reasons: readonly string[];
  /** Objectives whose interval reaches over their limit: more requests could turn the verdict. */
  readonly unsure: readonly string[];
  /** Every one of its stages was limited by the client, so that nothing is known of the server. */
  readonly clientLimited: boolean;
}

const fewFailures: Threshold = 'error_rate <= 0.01';

/** The loads of the stages so far, each once, in the order in which they were first tried. */
export function levelsOf(stages: readonly StageReport[], keep: readonly Threshold[]): Level[] {
  const byLoad = new Map<number, StageReport[]>();
  for (const stage of stages) byLoad.set(loadOf(stage), [...(byLoad.get(loadOf(stage)) ?? []), stage]);
  return [...byLoad].map(([level, same]) => judge(level, same, keep));
}

function loadOf({ strategy }: StageReport): number {
  return strategy.kind === 'closed' ? strategy.streams : (strategy.rate[0]?.to ?? 0);
}

/** The entries of a report's knee: one for each stage, with the verdict on its load. */
export function kneeLevels(levels: readonly Level[]): Knee['levels'] {
  return levels
    .toSorted((a, b) => a.level - b.level)
    .flatMap(({ level, stages, kept, reasons, unsure }) =>
      stages.map((stage) => ({
        stage,
        level,
        kept,
        reasons: [...reasons],
        ...(unsure.length > 0 && { unsure: [...unsure] }),
      })),
    );
}

function judge(level: number, all: readonly StageReport[], keep: readonly Threshold[]): Level {
  const sound = all.filter(({ client }) => !client.limited);
  const stages = all.map(({ index }) => index);
  if (sound.length === 0) {
    const why = all.at(-1)?.client.reasons.join('; ') ?? '';
    const reasons = [`the client was the limit, so that nothing is known of the server: ${why}`];
    return { level, stages, kept: false, reasons, unsure: [], clientLimited: true };
  }
  const objectives = keep.map((threshold) => objectiveOf(sound, threshold));
  const implied = keep.some((text) => text.startsWith('error_rate')) ? [] : [objectiveOf(sound, fewFailures)];
  const reasons = [...objectives, ...implied].filter(({ passed }) => !passed).map(({ text }) => text);
  const faults = sound.flatMap(faultsOf);
  return {
    level,
    stages,
    kept: reasons.length === 0 && faults.length === 0,
    reasons: [...reasons, ...new Set(faults)],
    // What misses for another reason is no nearer to the knee for being sure of this one.
    unsure: faults.length > 0 ? [] : objectives.filter(({ sure }) => !sure).map(({ text }) => text),
    clientLimited: false,
  };
}

interface Objective {
  readonly passed: boolean;
  readonly sure: boolean;
  readonly text: string;
}

/** A threshold held against the mean of several stages of one load, and against what that is uncertain by. */
function objectiveOf(stages: readonly StageReport[], threshold: Threshold): Objective {
  const values = stages.map((stage) => gateOf(stage, threshold).value);
  const known = values.filter((value) => value !== null);
  if (known.length < values.length) return { passed: false, sure: true, text: `${threshold}: not measured` };
  const value = known.reduce((sum, each) => sum + each, 0) / known.length;
  const range = rangeOf(stages, threshold, value);
  const { comparison, limit } = thresholdParts(threshold);
  const passed = compare(value, comparison, limit);
  const sure = range !== null && range.every((bound) => compare(bound, comparison, limit) === passed);
  const between = range === null ? '' : ` (${short(range[0])} to ${short(range[1])})`;
  return { passed, sure, text: `${threshold}: ${short(value)}${sure ? '' : between}` };
}

/** 95 % interval of the mean; null: too few requests for one. What has none is taken as it is. */
function rangeOf(
  stages: readonly StageReport[],
  threshold: Threshold,
  value: number,
): readonly [number, number] | null {
  const { latency, figure, rate } = thresholdParts(threshold);
  if (rate === 'goodput' || rate === 'error_rate')
    return wilsonInterval(
      value,
      stages.reduce((sum, stage) => sum + trialsOf(stage, rate), 0),
    );
  if (latency === undefined || figure === 'p90' || figure === 'max' || figure === undefined)
    return [value, value];
  const halves = stages.map((stage) => {
    const found: Distribution | null = { ...stage, ...headlineOf(stage) }[latency];
    const interval = found?.interval[figure];
    return interval ? [(found?.[figure] ?? 0) - interval[0], interval[1] - (found?.[figure] ?? 0)] : null;
  });
  if (halves.includes(null)) return null;
  const shrink = halves.length ** 1.5;
  const [below, above] = [0, 1].map(
    (side) => halves.reduce((sum, half) => sum + (half?.[side] ?? 0), 0) / shrink,
  );
  return [value - (below ?? 0), value + (above ?? 0)];
}

function trialsOf({ requests }: StageReport, rate: 'goodput' | 'error_rate'): number {
  return requests.measured - (rate === 'goodput' ? (requests.censored ?? 0) : 0);
}

/** What no interval excuses. */
function faultsOf(stage: StageReport): string[] {
  const { steadiness, openLoop, stopped } = stage;
  const faults: string[] = [];
  if (stopped === 'over-saturated') faults.push('ended early: requests in flight and TTFT grew and grew');
  if (steadiness?.steady === false)
    faults.push(
      `not steady: E2E went from ${steadiness.e2eMs[0].toFixed(0)} to ${steadiness.e2eMs[1].toFixed(0)} ms, ` +
        `requests in flight from ${steadiness.inFlight[0].toFixed(1)} to ${steadiness.inFlight[1].toFixed(1)}`,
    );
  if ((openLoop?.dropped ?? 0) > 0) faults.push(`${openLoop?.dropped} starts were dropped`);
  return faults;
}

function short(value: number): number {
  return Number(value.toPrecision(4));
}

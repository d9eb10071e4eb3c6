import { holm, ratioEstimate } from '../../stats/difference.ts';
import type { RatioEstimate } from '../../stats/difference.ts';
import { otherSetting, unequalStages, unequalWork } from './equal-work.ts';
import type { Measured } from './metrics.ts';
import type { Side, SideStage } from './side.ts';

/** How a figure of a run stands to the baseline's. */
export interface Difference {
  readonly metric: string;
  readonly unit: string;
  readonly base: number;
  readonly other: number;
  /** Number of values on each side. */
  readonly n: readonly [number, number];
  /** Null: too few values to estimate how sure the difference is. */
  readonly estimate: RatioEstimate | null;
  /** Chance of such a difference by accident, corrected for all figures of all runs compared (Holm). */
  readonly p: number | null;
  readonly verdict: 'better' | 'worse' | 'no difference' | 'not enough data';
}

export interface Comparison {
  readonly base: string;
  readonly other: string;
  /** Why the figures do not compare; empty when they do. */
  readonly unequal: readonly string[];
  readonly differs: readonly string[];
  /** A run that its client limited shows the client: nothing is judged by it. */
  readonly clientLimited: boolean;
  readonly stages: readonly { readonly label: string; readonly differences: readonly Difference[] }[];
  readonly missing: readonly string[];
}

export interface CompareOptions {
  /** Smallest change that counts, as a share. */
  readonly tolerance: number;
}

const significance = 0.05;

/** Holds a run against a baseline, stage by stage of the same load. Pure: the same records give the same verdicts. */
export function compareRuns(base: Side, other: Side, options: CompareOptions): Comparison {
  const [only] = compareAll(base, [other], options);
  return only as Comparison;
}

/** The same of several runs: the more are looked at, the surer each difference must be (Holm over all figures of all). */
export function compareAll(base: Side, others: readonly Side[], options: CompareOptions): Comparison[] {
  const all = others.map((other) => ({ other, stages: stagePairs(base, other) }));
  const found = all.flatMap(({ stages }) => stages.flatMap(({ figures }) => figures));
  const ps = holm(found.map(({ estimate }) => estimate?.p ?? 1));
  const chances = new Map(found.map((pair, i) => [pair, ps[i] as number]));
  return all.map(({ other, stages }) => {
    const paired = new Set(stages.map(({ label }) => label));
    const unpaired = [...base.stages, ...other.stages].filter(({ label }) => !paired.has(label));
    return {
      base: base.id,
      other: other.id,
      unequal: [
        ...unequalWork(base, other),
        ...stages.flatMap(({ label, pair }) => unequalStages(...pair).map((text) => `${label}: ${text}`)),
      ],
      differs: otherSetting(base, other),
      clientLimited: base.clientLimited || other.clientLimited,
      stages: stages.map(({ label, figures }) => ({
        label,
        differences: figures.map((pair) => judged(pair, chances.get(pair) ?? 1, options)),
      })),
      missing: [...new Set(unpaired.map(({ label }) => label))],
    };
  });
}

interface StagePair {
  readonly label: string;
  readonly pair: readonly [SideStage, SideStage];
  readonly figures: readonly FigurePair[];
}

function stagePairs(base: Side, other: Side): StagePair[] {
  return base.stages.flatMap((stage) => {
    const same = other.stages.find(({ label }) => label === stage.label);
    if (!same) return [];
    return [{ label: stage.label, pair: [stage, same], figures: figurePairs(base, other, stage, same) }];
  });
}

interface FigurePair {
  readonly base: Measured;
  readonly other: Measured;
  readonly estimate: RatioEstimate | null;
}

function figurePairs(base: Side, other: Side, a: SideStage, b: SideStage): FigurePair[] {
  const ours = a.figures(base.seed);
  // Another seed: with the same one both sides would draw the same blocks, and a difference would look surer than it is.
  const theirs = b.figures(other.seed + 1);
  const pairs = ours.flatMap((figure) => {
    const same = theirs.find(({ name }) => name === figure.name);
    return same ? [{ base: figure, other: same, estimate: estimateOf(figure, same) }] : [];
  });
  const main = pairs.filter((pair) => pair.base.spare === null);
  return pairs.filter(
    ({ base: { spare } }) => spare === null || !main.some((pair) => pair.base.name.startsWith(spare)),
  );
}

function estimateOf(base: Measured, other: Measured): RatioEstimate | null {
  if (base.samples === null || other.samples === null) return null;
  if (Math.min(base.n, other.n) < base.fewest) return null;
  return ratioEstimate([base.value, other.value], [base.samples, other.samples]);
}

function judged({ base, other, estimate }: FigurePair, p: number, options: CompareOptions): Difference {
  return {
    metric: base.name,
    unit: base.unit,
    base: base.value,
    other: other.value,
    n: [base.n, other.n],
    estimate,
    p: estimate && p,
    verdict: estimate === null ? 'not enough data' : verdictOf(base, estimate, p, options),
  };
}

function verdictOf(
  figure: Measured,
  { ratio, detectable }: RatioEstimate,
  p: number,
  { tolerance }: CompareOptions,
): Difference['verdict'] {
  if (p < significance && Math.abs(ratio - 1) > tolerance)
    return ratio > 1 === (figure.better === 'higher') ? 'better' : 'worse';
  // Nothing was found; that says something only where a change worth naming would have been.
  return detectable > Math.max(0.1, 2 * tolerance) ? 'not enough data' : 'no difference';
}

import { z } from 'zod';
import { Threshold } from '../../domain/threshold.ts';
import type { Knee } from '../../domain/run/knee.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import type { Strategy } from '../../domain/load-shape.ts';
import type { Profile } from '../contract.ts';
import { kneeLevels, levelsOf } from './sweep/levels.ts';
import type { Level } from './sweep/levels.ts';

const Options = z.strictObject({
  kind: z.literal('sweep'),
  over: z
    .enum(['rate', 'streams'])
    .default('rate')
    .describe('What is raised: requests a second, or streams.'),
  keep: z
    .array(Threshold)
    .min(1)
    .default(['goodput >= 0.95'])
    .describe(
      'What a stage must keep; the default wants an slo. A few failures (error_rate <= 0.01) are allowed.',
    ),
  from: z.number().positive().default(1).describe('The first load that is tried.'),
  to: z.number().positive().default(1000).describe('The highest load that is tried.'),
  factor: z.number().gt(1).max(10).default(2).describe('How much the load grows until a stage misses.'),
  precision: z
    .number()
    .positive()
    .max(1)
    .default(0.05)
    .describe('How close the highest that keeps and the lowest that misses must come, as a share.'),
  points: z
    .int()
    .min(0)
    .max(20)
    .default(4)
    .describe('Further stages near the knee, evenly by their logarithm.'),
  repeats: z
    .int()
    .min(0)
    .max(10)
    .default(1)
    .describe(
      'How often a load is tried again while its interval reaches over an objective, or the client was its limit.',
    ),
  arrivals: z
    .enum(['constant', 'poisson'])
    .default('poisson')
    .describe('Of requests a second: evenly spaced, or at random as independent users do.'),
  maxInFlight: z
    .int()
    .positive()
    .default(1024)
    .describe('A start that would be one more in flight than this is dropped, and counted.'),
});
type Options = z.infer<typeof Options>;
/** Fewer stages than this below the first one, each the factor lower, before the search gives up. */
const mostBelow = 3;

function next(options: Options, earlier: readonly StageReport[]): Strategy | null {
  const level = nextLevel(options, levelsOf(earlier, options.keep));
  if (level === null) return null;
  if (options.over === 'streams') return { kind: 'closed', streams: level };
  return {
    kind: 'open',
    arrivals: options.arrivals === 'constant' ? { process: 'constant' } : { process: 'gamma', shape: 1 },
    rate: [{ from: level, to: level, seconds: null }],
    maxInFlight: options.maxInFlight,
  };
}

/**
 * First the search, in which a load whose verdict is not sure is tried again, then the points around what it found; where
 * the search ended is read off the stages themselves.
 */
function nextLevel(options: Options, judged: readonly Level[]): number | null {
  const last = judged.at(-1);
  const searching = last !== undefined && searchLevel(options, judged.slice(0, -1)) !== null;
  if (searching && (last.unsure.length > 0 || last.clientLimited) && last.stages.length <= options.repeats)
    return last.level;
  for (let searched = 0; searched <= judged.length; searched += 1) {
    const level = searchLevel(options, judged.slice(0, searched));
    if (level === null)
      return pointsAround(options, judged.slice(0, searched))[judged.length - searched] ?? null;
  }
  return searchLevel(options, judged);
}

/** Up by the factor until one misses (or down until one keeps), then the middle of both, by logarithm. */
function searchLevel(options: Options, judged: readonly Level[]): number | null {
  const { from, to, factor, precision } = options;
  const { kept, missed } = bracket(judged);
  const least = options.over === 'streams' ? 1 : from / factor ** mostBelow;
  if (judged.length === 0) return whole(options, Math.min(from, to));
  if (missed === null) {
    const level = whole(options, Math.min(to, (kept as number) * factor));
    return level > (kept as number) ? level : null;
  }
  if (kept === null) {
    const level = whole(options, Math.max(least, missed / factor));
    return level < missed ? level : null;
  }
  if (missed / kept <= 1 + precision) return null;
  const level = whole(options, Math.sqrt(kept * missed));
  return level > kept && level < missed ? level : null;
}

/** From half the knee to a bit more than it. A point where a stage was already is left out. */
function pointsAround(options: Options, judged: readonly Level[]): number[] {
  const { kept } = bracket(judged);
  if (kept === null) return [];
  const near = judged.map(({ level }) => level);
  const found: number[] = [];
  for (let i = 0; i < options.points; i += 1) {
    const level = whole(options, Math.min(options.to, kept * 2 ** (-1 + (1.5 * (i + 0.5)) / options.points)));
    const known = [...near, ...found].some((other) => Math.abs(other / level - 1) < options.precision / 2);
    if (!known) found.push(level);
  }
  return found;
}

/** A load that keeps above one that misses is chance: the knee is where the first miss is. */
function bracket(judged: readonly Level[]): { kept: number | null; missed: number | null } {
  const misses = judged.filter(({ kept }) => !kept).map(({ level }) => level);
  const missed = misses.length === 0 ? null : Math.min(...misses);
  const below = judged.filter(({ kept, level }) => kept && (missed === null || level < missed));
  return { kept: below.length === 0 ? null : Math.max(...below.map(({ level }) => level)), missed };
}

/** Whole streams; rates of three digits, so that they can be read and asked for again. */
function whole(options: Options, level: number): number {
  return options.over === 'streams' ? Math.max(1, Math.round(level)) : Number(level.toPrecision(3));
}

function conclude(options: Options, stages: readonly StageReport[]): Knee {
  const levels = levelsOf(stages, options.keep);
  const { kept, missed } = bracket(levels);
  // A load that kept has a stage that the client did not limit.
  const sound = stages.flatMap(({ index, client }) => (client.limited ? [] : [index]));
  return {
    over: options.over,
    keep: [...options.keep],
    level: kept,
    stage:
      sound.findLast((index) => levels.some((each) => each.level === kept && each.stages.includes(index))) ??
      null,
    missedAt: missed,
    levels: kneeLevels(levels),
  };
}

/** Raises the load until its objectives are missed, and closes in on the highest that keeps them. */
export const sweep: Profile<'sweep', Options> = {
  kind: 'sweep',
  title: 'the highest load that keeps the objectives, and stages near it',
  options: Options,
  next,
  conclude,
  // Such a stage is a load that missed: the search goes on below it.
  goesOnAfter: ['over-saturated'],
  lacks: ({ keep }, { slo }) =>
    slo === null && keep.some((text) => text.startsWith('goodput'))
      ? 'A sweep wants to know what to keep: an slo (--slo ttft=500), or keep: ["ttft.p95 < 500"].'
      : null,
};

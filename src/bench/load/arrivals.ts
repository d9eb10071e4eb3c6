import type { Arrivals, RateSegment, Strategy } from '../../domain/load-shape.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { gammaVariate } from '../../stats/gamma.ts';
import type { Random } from '../../stats/random.ts';

type Open = Extract<Strategy, { kind: 'open' }>;

/** When requests are due, µs from the start of the stage, in order; the first `warmup` of them are not measured. */
export interface Schedule {
  readonly due: Float64Array;
  readonly warmup: number;
}

/** Where nothing else ends a schedule. */
const mostArrivals = 10_000_000;

/**
 * The whole schedule of a stage, drawn from one generator before it begins, so that the same seed gives the same starts
 * and nothing that happens meanwhile changes them. A process of unit rate is stretched by the inverse of the cumulated
 * rate (time rescaling), so that every process follows every ramp. `times`: those of a trace, µs from its first request.
 */
export function openSchedule(
  strategy: Open,
  plan: { warmup: RunSpec['warmup']; limits: Pick<RunSpec['limits'], 'seconds' | 'requests'> },
  random: Random,
  times: Float64Array = new Float64Array(),
): Schedule {
  const { arrivals } = strategy;
  if (arrivals.process === 'trace') return replaySchedule(times, arrivals.speed, plan);
  const gap = gapsOf(arrivals, random);
  const { rampSeconds } = strategy;
  const segments = withRamp(strategy);
  const due: number[] = [];
  let warmup = 0;
  // A constant rate starts at once; a random one after its first gap.
  let work = arrivals.process === 'constant' ? 0 : gap();
  while (due.length < mostArrivals) {
    const at = timeOf(segments, work);
    if (at === null) break;
    const micros = at * 1e6;
    if (at < (rampSeconds ?? 0) || stillWarming(plan.warmup, due.length, at)) warmup = due.length + 1;
    else if (atLimit(plan.limits, due.length - warmup, micros - (due[warmup] ?? micros))) break;
    due.push(micros);
    work += gap();
  }
  return { due: Float64Array.from(due), warmup };
}

function withRamp({ rate, rampSeconds }: Open): readonly RateSegment[] {
  const [first] = rate;
  if (rampSeconds === undefined || !first) return rate;
  return [{ from: 0, to: first.from, seconds: rampSeconds }, ...rate];
}

/** Of a trace: its own moments, so many times closer together. */
function replaySchedule(
  times: Float64Array,
  speed: number,
  plan: { warmup: RunSpec['warmup']; limits: Pick<RunSpec['limits'], 'seconds' | 'requests'> },
): Schedule {
  let warmup = 0;
  let end = 0;
  for (; end < times.length; end += 1) {
    const micros = (times[end] as number) / speed;
    if (stillWarming(plan.warmup, end, micros / 1e6)) warmup = end + 1;
    else if (atLimit(plan.limits, end - warmup, micros - (times[warmup] ?? 0) / speed)) break;
  }
  return { due: times.slice(0, end).map((at) => at / speed), warmup };
}

function gapsOf(arrivals: Exclude<Arrivals, { process: 'trace' }>, random: Random): () => number {
  if (arrivals.process === 'constant') return () => 1;
  const { shape } = arrivals;
  return () => gammaVariate(shape, random) / shape;
}

function stillWarming(warmup: RunSpec['warmup'], arrivals: number, seconds: number): boolean {
  if (warmup.kind === 'requests') return arrivals < warmup.count;
  return warmup.kind === 'seconds' && seconds < warmup.seconds;
}

function atLimit(
  limits: Pick<RunSpec['limits'], 'seconds' | 'requests'>,
  measured: number,
  micros: number,
): boolean {
  if (limits.requests !== null && measured >= limits.requests) return true;
  return limits.seconds !== null && measured > 0 && micros >= limits.seconds * 1e6;
}

/** The time in seconds at which so many requests have come due; null when that is never. */
function timeOf(segments: readonly RateSegment[], work: number): number | null {
  let start = 0;
  let left = work;
  for (const { from, to, seconds } of segments) {
    if (seconds === null) return from > 0 ? start + left / from : null;
    const whole = ((from + to) / 2) * seconds;
    if (left < whole) return start + within(from, (to - from) / seconds, left);
    left -= whole;
    start += seconds;
  }
  return null;
}

/** Solves from·t + slope·t²/2 = work for t, in the form that is exact when the slope is 0. */
function within(from: number, slope: number, work: number): number {
  if (work === 0) return 0;
  return (2 * work) / (from + Math.sqrt(from * from + 2 * slope * work));
}

import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Strategy } from '../../domain/load-shape.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { Shard } from '../../domain/run/shard.ts';
import type { Schedule } from './arrivals.ts';
import type { PromptSource } from '../contract.ts';

/** Of `whole` things, those of one shard: as even as can be, and all shards together have all. */
export function shareOf(whole: number, { index, of }: Shard): number {
  return Math.floor(whole / of) + (index <= whole % of ? 1 : 0);
}

/** A shard's part of a stage's load. Throws USAGE where there is less than one stream for each shard. */
export function strategyOf(strategy: Strategy, shard: Shard | undefined): Strategy {
  if (!shard) return strategy;
  if (strategy.kind === 'open')
    return { ...strategy, maxInFlight: Math.max(1, shareOf(strategy.maxInFlight, shard)) };
  const streams = shareOf(strategy.streams, shard);
  if (streams > 0) return { ...strategy, streams };
  throw new BerthError('USAGE', {
    detail: `${shard.of} shards cannot share ${strategy.streams} stream${strategy.streams === 1 ? '' : 's'}: every stage wants one for each.`,
    command: 'bench',
  });
}

/** A closed loop's counts are shared out; an open loop's are those of the whole schedule, of which each takes its own. */
export function limitsOf(spec: RunSpec, strategy: Strategy): Pick<RunSpec, 'limits' | 'warmup'> {
  const { shard, limits, warmup } = spec;
  if (!shard || strategy.kind === 'open') return { limits, warmup };
  const requests = limits.requests === null ? null : Math.max(1, shareOf(limits.requests, shard));
  const share = warmup.kind === 'requests' ? shareOf(warmup.count, shard) : 0;
  return {
    limits: { ...limits, requests },
    warmup: warmup.kind === 'requests' ? { kind: 'requests', count: Math.max(1, share) } : warmup,
  };
}

/** Every shard draws the same whole schedule from the same seed and keeps each n-th start: together they are one client. */
export function scheduleOf(schedule: Schedule, shard: Shard | undefined): Schedule {
  if (!shard) return schedule;
  const { index, of } = shard;
  const own = [...schedule.due.keys()].filter((number) => number % of === index - 1);
  return {
    due: Float64Array.from(own, (number) => schedule.due[number] as number),
    warmup: own.filter((number) => number < schedule.warmup).length,
  };
}

/** Each n-th prompt of the one source that all share, so that no prompt is sent twice. */
export function promptsOf(source: PromptSource, shard: Shard | undefined): PromptSource {
  if (!shard) return source;
  const { timed } = source;
  return {
    ...source,
    at: (id) => source.at(wholeId(id, shard)),
    whole: source.at,
    ...(timed && {
      timed: { ...timed, at: (number: number, round: number) => timed.at(wholeId(number, shard), round) },
    }),
  };
}

/** The number that a shard's request has in the whole run. */
export function wholeId(id: number, { index, of }: Shard): number {
  return id * of + index - 1;
}

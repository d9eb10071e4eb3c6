import type { Command } from 'commander';
import { Shard } from '../../domain/run/shard.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { usage } from './bench-numbers.ts';

export interface ShardOptions {
  readonly shard?: string;
  readonly startAt?: string;
}

export function addShardOptions(command: Command): Command {
  return command
    .option('--shard <i/n>', 'send the i-th part of n of the load; "berth merge" makes one run of all')
    .option('--start-at <time>', 'when all shards begin, such as 2026-01-01T12:00:00Z');
}

/** The same specifications as the part of one of several clients, where one was asked for. */
export function sharded(
  specs: readonly RunSpec[],
  { shard, startAt, baseline }: ShardOptions & { readonly baseline?: string },
): RunSpec[] {
  if (shard === undefined) {
    if (startAt === undefined) return [...specs];
    throw usage('--start-at is for shards: say --shard too.');
  }
  if (baseline !== undefined)
    throw usage(
      '--baseline is for whole runs: "berth merge" makes one of the shards, "berth compare" holds it.',
    );
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(shard) ?? [];
  const time = startAt === undefined ? null : new Date(startAt);
  if (time && Number.isNaN(time.getTime()))
    throw usage(`--start-at wants a time such as 2026-01-01T12:00:00Z, not "${startAt}".`);
  const parsed = Shard.safeParse({
    index: Number(index),
    of: Number(of),
    startAt: time && time.toISOString(),
  });
  if (!parsed.success || parsed.data.index > parsed.data.of)
    throw usage(
      `--shard wants the number of this client and how many there are, such as 1/3, not "${shard}".`,
    );
  // A part of a run has nothing to be held against: that is for the merged one.
  return specs.map((spec) => {
    const { against: _, ...part } = spec;
    return { ...part, shard: parsed.data };
  });
}

import { z } from 'zod';
import { anywhere, leastLoaded, withinBound } from '../../domain/instance-load.ts';
import type { Balancer, Candidate, Policy } from './contract.ts';
import { placeByHash } from '../../domain/hash-ring.ts';
import { PrefixIndex } from './prefix-affinity/prefix-index.ts';

const Options = z.strictObject({
  kind: z.literal('prefix-affinity'),
  blockBytes: z
    .int()
    .min(16)
    .max(65_536)
    .default(256)
    .describe('Prompts are compared in blocks of so many bytes.'),
  longest: z
    .int()
    .min(1)
    .max(8192)
    .default(512)
    .describe('Blocks of a prompt that are compared at most, from its start.'),
  least: z
    .int()
    .min(1)
    .max(8192)
    .default(2)
    .describe('Blocks that must be the same before an instance is preferred.'),
  entries: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(100_000)
    .describe('Blocks that are remembered over all prompts; the longest unused go first.'),
  loadFactor: z
    .number()
    .min(1)
    .max(10)
    .default(1.25)
    .describe('An instance with more than so many times its share of the requests is not preferred.'),
});
type Options = z.infer<typeof Options>;

export const prefixAffinity: Policy<'prefix-affinity', Options> = {
  kind: 'prefix-affinity',
  title:
    'the instance that has read the longest beginning of this prompt before, unless it has too much to do',
  options: Options,
  create: createBalancer,
};

/**
 * What other gateways have sent where is not known here: beside them, what no preferred instance is found for goes where
 * each of them would send it.
 */
function createBalancer(options: Options, random: () => number, beside: boolean): Balancer {
  const index = new PrefixIndex(options.entries);
  const counts = { hits: 0, misses: 0, gated: 0, matched_blocks: 0, placed: 0 };

  /** Those that know the longest beginning, by its absolute length, and may take one more; the load decides among them. */
  function stickySet<One extends Candidate>(
    open: readonly One[],
    prefix: readonly number[],
    alive: readonly One[],
  ): { blocks: number; among: readonly One[] } {
    for (let blocks = prefix.length; blocks >= options.least; blocks -= 1) {
      const holders = index.holders(prefix[blocks - 1] as number);
      if (!holders) continue;
      const among = open.filter((one) => holders.has(one.id) && withinBound(one, alive, options.loadFactor));
      if (among.length > 0) return { blocks, among };
    }
    return { blocks: 0, among: [] };
  }

  function placed<One extends Candidate>(
    open: readonly One[],
    prefix: readonly number[],
    alive: readonly One[],
  ): One | null {
    const start = beside ? prefix[options.least - 1] : undefined;
    if (start === undefined) return null;
    const place = placeByHash(start, { open, alive, loadFactor: options.loadFactor });
    if (place) counts.placed += 1;
    return place?.one ?? null;
  }

  return {
    reads: { unit: null, prompt: { blockBytes: options.blockBytes, most: options.longest } },
    pick: (open, { prefix }, alive) => {
      const { blocks, among } = stickySet(open, prefix, alive);
      if (among.length > 0) counts.hits += 1;
      else if (index.knows(prefix, options.least)) counts.gated += 1;
      else counts.misses += 1;
      counts.matched_blocks += blocks;
      const place = among.length > 0 ? null : placed(open, prefix, alive);
      const picked = place ?? leastLoaded(among.length > 0 ? among : open, anywhere(random));
      index.note(prefix, picked.id);
      return picked;
    },
    counts: () => ({ ...counts, evictions: index.evictions }),
    entries: () => index.size,
  };
}

import { z } from 'zod';
import { anywhere, leastLoaded } from '../../domain/instance-load.ts';
import type { Policy } from './contract.ts';
import { placeByHash } from '../../domain/hash-ring.ts';

const Options = z.strictObject({
  kind: z.literal('prefix-hash'),
  bytes: z
    .int()
    .min(16)
    .max(65_536)
    .default(512)
    .describe('How much of the start of a prompt decides; what conversations share beyond it plays no part.'),
  loadFactor: z
    .number()
    .min(1)
    .max(10)
    .default(1.25)
    .describe('An instance with more than so many times its share of the requests is passed over.'),
});

/** A prompt shorter than `bytes` has too little to hold on to and goes to the least loaded. */
export const prefixHash: Policy<'prefix-hash', z.infer<typeof Options>> = {
  kind: 'prefix-hash',
  title: 'prompts that begin alike go to the same instance, in every gateway, with nothing remembered',
  options: Options,
  create: ({ bytes, loadFactor }, random) => {
    const counts = { hits: 0, gated: 0, misses: 0 };
    return {
      reads: { unit: null, prompt: { blockBytes: bytes, most: 1 } },
      pick: (open, { prefix }, alive) => {
        const [start] = prefix;
        if (start === undefined) {
          counts.misses += 1;
          return leastLoaded(open, anywhere(random));
        }
        const place = placeByHash(start, { open, alive, loadFactor });
        if (place?.at === 0) counts.hits += 1;
        else counts.gated += 1;
        return place?.one ?? leastLoaded(open, anywhere(random));
      },
      counts: () => counts,
    };
  },
};

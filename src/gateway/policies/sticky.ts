import { z } from 'zod';
import { hashText, rendezvousScore } from '../../domain/hashing.ts';
import { anywhere, leastLoaded } from '../../domain/instance-load.ts';
import { StickyBy } from '../../domain/sticky-by.ts';
import type { Candidate, Policy } from './contract.ts';

const Options = z.strictObject({
  kind: z.literal('sticky'),
  by: StickyBy.default('session'),
});

/** Nothing is remembered: the choice follows from who asks and from the names of the instances. */
export const sticky: Policy<'sticky', z.infer<typeof Options>> = {
  kind: 'sticky',
  title: 'one client or conversation stays at one instance, and has a second choice while that is full',
  options: Options,
  create: ({ by }, random) => {
    let unnamed = 0;
    return {
      reads: { unit: by, prompt: null },
      pick: (open, { unit }) => {
        if (unit !== null) return favourite(open, unit);
        unnamed += 1;
        return leastLoaded(open, anywhere(random));
      },
      counts: () => ({ unnamed }),
    };
  },
};

function favourite<One extends Candidate>(open: readonly One[], unit: number): One {
  let best = open[0] as One;
  let bestScore = -Infinity;
  for (const one of open) {
    const score = rendezvousScore(unit, hashText(one.id), 1);
    if (score > bestScore) [best, bestScore] = [one, score];
  }
  return best;
}

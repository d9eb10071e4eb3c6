import { z } from 'zod';
import { leastLoaded as pickLeastLoaded } from '../../domain/instance-load.ts';
import { readsNothing } from './contract.ts';
import type { Policy } from './contract.ts';

const Options = z.strictObject({ kind: z.literal('least-loaded') });

/** Equals take turns: that is even, and the same each time it is given the same. */
export const leastLoaded: Policy<'least-loaded', z.infer<typeof Options>> = {
  kind: 'least-loaded',
  title: 'the least requests under way by share of its slots, equals by turns (the default)',
  options: Options,
  create: () => {
    let turn = 0;
    return {
      reads: readsNothing,
      pick: (open) => {
        turn = (turn + 1) % 0x4000_0000;
        return pickLeastLoaded(open, turn);
      },
    };
  },
};

import { z } from 'zod';
import { readsNothing } from './contract.ts';
import type { Policy } from './contract.ts';

const Options = z.strictObject({ kind: z.literal('round-robin') });

/** Full ones are passed over, and come next once they have room: the turn is the id's place in the alphabet. */
export const roundRobin: Policy<'round-robin', z.infer<typeof Options>> = {
  kind: 'round-robin',
  title: 'each in turn, however long its requests take',
  options: Options,
  create: () => {
    let last = '';
    return {
      reads: readsNothing,
      pick: (open) => {
        let first = open[0] as (typeof open)[number];
        let next: typeof first | null = null;
        for (const one of open) {
          if (one.id < first.id) first = one;
          if (one.id > last && (next === null || one.id < next.id)) next = one;
        }
        const picked = next ?? first;
        last = picked.id;
        return picked;
      },
    };
  },
};

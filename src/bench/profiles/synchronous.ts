import { z } from 'zod';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({ kind: z.literal('synchronous') });

/** One request after the other: the latency of an idle server. */
export const synchronous: Profile<'synchronous', z.infer<typeof Options>> = {
  kind: 'synchronous',
  title: 'one request after the other',
  options: Options,
  next: (_options, earlier) => (earlier.length === 0 ? { kind: 'closed', streams: 1 } : null),
};

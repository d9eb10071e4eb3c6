import { z } from 'zod';
import type { Profile } from '../contract.ts';
import { traceOptions } from '../traces/trace-options.ts';

const Options = z.strictObject({
  kind: z.literal('replay'),
  ...traceOptions,
  speed: z
    .number()
    .positive()
    .default(1)
    .describe('How much faster than it was: 2 sends the requests of an hour in half of one.'),
  maxInFlight: z
    .int()
    .positive()
    .default(1024)
    .describe('A start that would be one more in flight than this is dropped, and counted.'),
});
type Options = z.infer<typeof Options>;

/** One open loop that starts each request when a trace says, with prompts and answers as long as there. */
export const replay: Profile<'replay', Options> = {
  kind: 'replay',
  title: 'the requests of a trace, when it had them and as long as they were',
  options: Options,
  ends: true,
  data: ({ file, format, from, model, blockTokens }) => ({
    kind: 'trace',
    file,
    format,
    from,
    ...(model === undefined ? {} : { model }),
    blockTokens,
  }),
  // Its first request is one of the trace, and what its prompts share may be found in the cache.
  defaults: { warmup: { kind: 'none' }, cache: 'warm' },
  next: ({ speed, maxInFlight }, earlier) =>
    earlier.length > 0
      ? null
      : { kind: 'open', arrivals: { process: 'trace', speed }, rate: [], maxInFlight },
};

import { z } from 'zod';
import { ChangeLimitText } from './change-limit.ts';

/** What a run is held against, and how. */
export const Against = z.strictObject({
  baseline: z
    .string()
    .min(1)
    .describe('The run: its name, @NAME, its folder, or the result file of another tool.'),
  changes: z
    .array(ChangeLimitText)
    .default([])
    .describe(
      'What may change at most, such as "ttft.p95 <= +10%" or "output_rate >= -5%"; without any, nothing may become worse. Exit code 4 when one is missed.',
    ),
  tolerance: z.number().min(0).lt(100).default(5).describe('Changes up to this, in percent, are none.'),
  confirm: z
    .boolean()
    .default(false)
    .describe(
      'Measure a run that is worse once more, and fail only when that one is worse in the same figure.',
    ),
});
export type Against = z.infer<typeof Against>;

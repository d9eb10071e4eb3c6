import { z } from 'zod';

/** A finding that somebody knows of and lives with: which, why, and until when. */
export const Suppression = z
  .strictObject({
    rule: z
      .string()
      .min(1)
      .meta({ examples: ['tls-off'] })
      .describe('The rule, as "berth audit" names it.'),
    object: z
      .string()
      .min(1)
      .optional()
      .describe('A deployment, unit, container or whatever the finding names; every one when left out.'),
    reason: z.string().min(1).describe('Why it is left as it is.'),
    until: z.iso.date().optional().describe('The last day on which it is left out, such as 2027-03-01.'),
  })
  .describe('A finding that is left out of the audit.');
export type Suppression = z.infer<typeof Suppression>;

import { z } from 'zod';

export const severities = ['info', 'warning', 'critical'] as const;

/** Something worth a person's attention: what, the very facts it rests on, and what to do. */
export const Finding = z.strictObject({
  rule: z.string(),
  severity: z.enum(severities),
  object: z.string(),
  message: z.string(),
  evidence: z.array(z.string()),
  cure: z.string(),
});
export type Finding = z.infer<typeof Finding>;

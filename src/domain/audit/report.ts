import { z } from 'zod';
import { Finding } from '../finding.ts';
import { Suppression } from './suppression.ts';

/** What "berth audit" tells. */
export const AuditReport = z.strictObject({
  version: z.literal(1),
  at: z.iso.datetime(),
  /** Model servers that were looked at, running or defined. */
  servers: z.int(),
  findings: z.array(Finding),
  suppressed: z.array(z.strictObject({ finding: Finding, by: Suppression })),
  /** Suppressions whose day has passed: what they left out is told again. */
  expired: z.array(Suppression),
  /** Suppressions that nothing was found for. */
  unused: z.array(Suppression),
  /** Pairs that look like a conflict and are none. */
  explained: z.array(z.string()),
});
export type AuditReport = z.infer<typeof AuditReport>;

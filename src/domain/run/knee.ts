import { z } from 'zod';

const count = z.int().min(0);

/** What a sweep found: the highest load that kept its objectives, with every lower one keeping them too. */
export const Knee = z.strictObject({
  /** Requests a second, or streams. */
  over: z.enum(['rate', 'streams']),
  keep: z.array(z.string()),
  /** Null when not even the lowest load that was tried kept them. */
  level: z.number().nullable(),
  stage: count.nullable(),
  /** The lowest load that missed one; null when the highest that was to be tried kept all. */
  missedAt: z.number().nullable(),
  /** All stages by load: whether they kept the objectives, and if not, why. */
  levels: z.array(
    z.strictObject({ stage: count, level: z.number(), kept: z.boolean(), reasons: z.array(z.string()) }),
  ),
});
export type Knee = z.infer<typeof Knee>;

/** "12.5 req/s", "8 streams". */
export function levelLabel(over: Knee['over'], level: number): string {
  if (over === 'rate') return `${level} req/s`;
  return level === 1 ? '1 stream' : `${level} streams`;
}

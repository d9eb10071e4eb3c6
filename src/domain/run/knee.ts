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
    z.strictObject({
      stage: count,
      level: z.number(),
      kept: z.boolean(),
      reasons: z.array(z.string()),
      /** Objectives that more requests could turn: their 95 % interval reaches over the limit. Absent: none. */
      unsure: z.array(z.string()).optional(),
    }),
  ),
});
export type Knee = z.infer<typeof Knee>;

/** Each load once; one that was tried more than once has an entry for each of its stages. */
export function eachLoad({ levels }: Knee): Knee['levels'] {
  return levels.filter(({ level }, i) => levels[i - 1]?.level !== level);
}

/** "12.5 req/s", "8 streams". */
export function levelLabel(over: Knee['over'], level: number): string {
  if (over === 'rate') return `${level} req/s`;
  return level === 1 ? '1 stream' : `${level} streams`;
}

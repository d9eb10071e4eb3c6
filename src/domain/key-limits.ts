import { z } from 'zod';

/** How much one caller may take; what is absent is not bounded. Used by keys, by models over all keys, and in the fleet file. */
export const RateLimits = z.strictObject({
  rpm: z.int().positive().optional().describe('Requests per minute.'),
  tpm: z.int().positive().optional().describe('Tokens per minute, prompts and answers together.'),
  concurrent: z.int().positive().optional().describe('Requests under way at once, those that wait included.'),
});
export type RateLimits = z.infer<typeof RateLimits>;

/** An amount to spend. Prices come from `gateway.prices`; with both bounds the first that is reached counts. */
export const Allowance = z
  .strictObject({
    tokens: z.int().positive().optional().describe('Tokens, prompts and answers together.'),
    usd: z.number().positive().optional().describe('Money, by the prices in gateway.prices.'),
  })
  .refine((allowance) => allowance.tokens !== undefined || allowance.usd !== undefined, {
    error: 'It bounds nothing.',
    params: { cure: 'Set tokens, usd, or both.' },
  });
export type Allowance = z.infer<typeof Allowance>;

/** What may be spent in a calendar day and a calendar month, both in UTC. */
export const Budget = z.strictObject({
  day: Allowance.optional().describe('From midnight to midnight UTC.'),
  month: Allowance.optional().describe('From the first of the month, UTC.'),
});
export type Budget = z.infer<typeof Budget>;

/** Who is served first among those who wait for a slot. */
export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

/** All that bounds one key; a key's record carries it. */
export const KeyLimits = RateLimits.extend({
  budget: Budget.optional().describe('What may be spent in a day or a month.'),
  priority: z
    .enum(priorities)
    .optional()
    .describe('Whose requests go first in the queue; by default normal.'),
});
export type KeyLimits = z.infer<typeof KeyLimits>;

/** What bounds a key: each bound that it does not say itself is that of all keys. */
export function limitsWithin(each: KeyLimits, own: KeyLimits | null): KeyLimits {
  const [usual, said] = [each.budget, own?.budget];
  if (!usual || !said) return { ...each, ...own };
  const day = usual.day || said.day ? { day: { ...usual.day, ...said.day } } : {};
  const month = usual.month || said.month ? { month: { ...usual.month, ...said.month } } : {};
  return { ...each, ...own, budget: { ...day, ...month } };
}

/** Price of a model in US dollars per million tokens. */
export const ModelPrice = z.strictObject({
  input: z.number().min(0).describe('Per million prompt tokens.'),
  output: z.number().min(0).describe('Per million tokens of answers.'),
});
export type ModelPrice = z.infer<typeof ModelPrice>;

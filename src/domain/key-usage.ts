import { z } from 'zod';

/** What one caller has asked of one model since the gateway was started. Tokens that no engine counted are estimated from the events. */
export const KeyUse = z.strictObject({
  /** Id of the key, or "anonymous". */
  key: z.string(),
  name: z.string(),
  /** The name that was asked for; "-" where the request did not get as far as to name one. */
  model: z.string(),
  requests: z.int(),
  /** Those that ended with a status of 400 and more; a client that left is not one of them. */
  errors: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  lastAt: z.iso.datetime(),
});
export type KeyUse = z.infer<typeof KeyUse>;

/** Since when it was counted, and by whom what was used; the latest first. */
export const KeyUsage = z.strictObject({ since: z.iso.datetime(), uses: z.array(KeyUse) });
export type KeyUsage = z.infer<typeof KeyUsage>;

/** What is counted against a budget. */
export const Spent = z.strictObject({ requests: z.number(), tokens: z.number(), usd: z.number() });
export type Spent = z.infer<typeof Spent>;

/** Of one key in the present day and month (UTC), over all restarts; to the second. */
export const KeySpent = z.strictObject({ key: z.string(), day: Spent, month: Spent });
export type KeySpent = z.infer<typeof KeySpent>;

/** What the console shows of the keys' use. */
export interface KeyReport extends KeyUsage {
  /** Empty where nothing is bounded: then nothing is kept. */
  readonly spent: readonly KeySpent[];
}

import { z } from 'zod';

/** Price of a million tokens; 0 is for nothing. */
export const TokenPrices = z.strictObject({
  prompt: z.number().min(0).describe('Of a million prompt tokens.'),
  output: z.number().min(0).describe('Of a million output tokens.'),
});
export type TokenPrices = z.infer<typeof TokenPrices>;

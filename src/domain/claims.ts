import { z } from 'zod';

const positive = z.number().positive();

/** One timed piece of work as it was published. */
const Work = z.strictObject({ streams: z.int().positive(), outputTokens: positive, seconds: positive });
export type Work = z.infer<typeof Work>;

/** A published figure with the figures it was published beside; what is to be checked stands under `claims`. */
export const Claim = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('efficiency'),
    source: z.string().optional(),
    /** Share of perfect scaling, 1 for "twice the streams, twice the tokens a second". */
    claims: z.strictObject({ efficiency: positive }),
    single: Work.extend({ streams: z.literal(1) }),
    parallel: Work,
  }),
  z.strictObject({
    kind: z.literal('throughput'),
    source: z.string().optional(),
    /** Tokens a second that are said to be output. */
    claims: z.strictObject({ outputTokensPerSecond: positive }),
    streams: z.int().positive(),
    itlMs: positive,
    ttftMs: positive.optional(),
    promptTokens: positive.optional(),
    outputTokens: positive.optional(),
  }),
  z.strictObject({
    kind: z.literal('cost'),
    source: z.string().optional(),
    claims: z.strictObject({ pricePerHour: positive }),
    pricePer1kTokens: positive,
    tokensPerSecond: positive,
    /** What the tokens a second count; by output tokens alone the price is higher. */
    tokens: z.enum(['prompt', 'output', 'both']).optional(),
  }),
]);
export type Claim = z.infer<typeof Claim>;

export const ClaimsFile = z.strictObject({
  version: z.literal(1),
  claims: z.record(z.string(), Claim),
});
export type ClaimsFile = z.infer<typeof ClaimsFile>;

import { z } from 'zod';
import { NumberSpread, mostTurns } from '../../domain/talk.ts';
import type { Profile } from '../contract.ts';
import { LengthOptions } from '../prompts/length-options.ts';

const Options = z
  .strictObject({
    kind: z.literal('sessions'),
    sessions: z
      .array(z.int().positive().max(10_000))
      .min(1)
      .optional()
      .describe('How many conversations go on at once; one stage for each number.'),
    rates: z
      .array(z.number().positive().max(100_000))
      .min(1)
      .optional()
      .describe('Instead: how many conversations begin each second; one stage for each number.'),
    turns: LengthOptions.optional().describe(
      `Turns of a conversation, a number or a distribution, at most ${mostTurns}; without it those that the data have, else 2 to 6.`,
    ),
    think: z
      .union([
        z.number().min(0),
        NumberSpread.refine(
          ({ mean, min, max }) => mean !== undefined || (min !== undefined && max !== undefined),
          {
            message: 'it wants a mean, or both min and max',
          },
        ),
      ])
      .default({ mean: 5, distribution: 'exponential' })
      .describe('Seconds between the end of an answer and the next turn: a number or a distribution.'),
    system: z
      .union([z.int().positive(), z.string().min(1)])
      .optional()
      .describe('System prompt of all conversations: a text, or one of so many tokens.'),
    arrivals: z
      .enum(['constant', 'poisson'])
      .default('poisson')
      .describe('Of rates: conversations begin evenly spaced, or at random as independent users do.'),
    maxInFlight: z
      .int()
      .positive()
      .default(1024)
      .describe('Of rates: a conversation that would be one more at once than this is dropped, and counted.'),
  })
  .refine(({ sessions, rates }) => (sessions === undefined) !== (rates === undefined), {
    message: 'it wants sessions (so many at once) or rates (so many begin each second)',
  });
type Options = z.infer<typeof Options>;

/** Conversations of several turns, whose users think in between. */
export const sessions: Profile<'sessions', Options> = {
  kind: 'sessions',
  title: 'conversations of several turns, with time to think in between',
  options: Options,
  // Every turn has the ones before it in front, as a prefix cache likes it.
  defaults: { cache: 'warm' },
  lacks: ({ system }, { data }) =>
    typeof system === 'number' && data.kind !== 'synthetic'
      ? `A system prompt of so many tokens is made of synthetic data only, not of ${data.kind}: give its text.`
      : null,
  next: ({ turns, think, system, arrivals, maxInFlight, ...load }, earlier) => {
    const talk = { turns: turns ?? null, thinkSeconds: think, system: system ?? null };
    const streams = load.sessions?.[earlier.length];
    if (streams !== undefined) return { kind: 'closed', streams, talk };
    const rate = load.rates?.[earlier.length];
    if (rate === undefined) return null;
    return {
      kind: 'open',
      arrivals: arrivals === 'constant' ? { process: 'constant' } : { process: 'gamma', shape: 1 },
      rate: [{ from: rate, to: rate, seconds: null }],
      maxInFlight,
      talk,
    };
  },
};

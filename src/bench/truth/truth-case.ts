import { z } from 'zod';

const count = z.int().min(0);

/** How the truth server answers: everything that a benchmark measures, known beforehand. */
export const TruthCase = z.strictObject({
  /** From the request's arrival to the first token event, and between two of them. */
  ttftMs: z.number().min(0).default(50),
  itlMs: z.number().min(0).default(10),
  /** Null: as many as the request asks for. */
  tokens: z.int().min(0).nullable().default(null),
  /** Every n-th answer has another length. */
  long: z.strictObject({ every: z.int().positive(), tokens: z.int().positive() }).nullable().default(null),
  /** Every event is later by up to this; by how much is drawn from the numbers of request and event. */
  jitterMs: z.number().min(0).default(0),
  /** Every n-th answer begins so much later: a service with two speeds. */
  slow: z.strictObject({ every: z.int().positive(), ms: z.number().positive() }).nullable().default(null),
  /** The first answers begin so much later. */
  cold: z.strictObject({ first: z.int().positive(), ms: z.number().positive() }).nullable().default(null),
  tokensPerEvent: z.int().positive().default(1),
  /** An event with a role and no content as soon as the request is there. */
  roleFirst: z.boolean().default(true),
  /** The moment of writing stands beside the choices, or in the text: there the rest of an event never changes. */
  stampIn: z.enum(['envelope', 'text']).default('envelope'),
  /** So many of the first events carry reasoning. */
  reasoning: count.default(0),
  /** How the bytes of the events are cut into writes: one each, two together, or each in three (inside UTF-8 too). */
  cut: z.enum(['whole', 'pairs', 'thirds']).default('whole'),
  lineEnd: z.enum(['lf', 'crlf']).default('lf'),
  pings: z.boolean().default(false),
  doneLine: z.boolean().default(true),
  finalBlankLine: z.boolean().default(true),
  usage: z.boolean().default(true),
  /** What usage says of the output, in place of the truth. */
  usageTokens: count.nullable().default(null),
  /** The usage event comes so long after the last token. */
  usageDelayMs: z.number().min(0).default(0),
  /** The connection stays open so long after the end of the stream. */
  holdOpenMs: z.number().min(0).default(0),
  /** One pause in the middle of every n-th answer. */
  stall: z.strictObject({ every: z.int().positive(), ms: z.number().positive() }).nullable().default(null),
  /** Every n-th request ends in this way. */
  fault: z
    .strictObject({
      every: z.int().positive(),
      kind: z.enum([
        'stream-error',
        'reset',
        'truncated',
        'rate-limited',
        'client-error',
        'server-error',
        'malformed',
        'empty',
        'hang',
        'dead',
      ]),
    })
    .nullable()
    .default(null),
  /** So many answers at once, the others wait their turn; null: no limit. */
  slots: z.int().positive().nullable().default(null),
  /** What the chat template adds to the words of a prompt. */
  templateTokens: count.default(5),
});
export type TruthCase = z.infer<typeof TruthCase>;

/** A request names its case in `model`, as JSON; any other name is the default case. */
export function caseOfModel(model: string): TruthCase {
  if (!model.startsWith('{')) return TruthCase.parse({});
  return TruthCase.parse(JSON.parse(model));
}

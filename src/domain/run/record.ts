import { z } from 'zod';
import { runSchema } from './schema-version.ts';

const count = z.int().min(0);
const microseconds = z.int();
const nullableTime = microseconds.nullable();

/** How a request ended. `censored`: cut by us when the drain was over, so its latency is unknown, not bad. */
export const outcomes = [
  'ok',
  'censored',
  'connect',
  'tls',
  'timeout',
  'rate-limited',
  'client-error',
  'server-error',
  'stream-error',
  'reset',
  'truncated',
  'malformed',
  'empty',
] as const;
export type Outcome = (typeof outcomes)[number];

/** Where a token count comes from, best first. Counts of different sources are never summed silently. */
export const tokenSources = ['usage', 'timings', 'tokenize', 'estimate', 'events'] as const;
export type TokenSource = (typeof tokenSources)[number];

const TokenCount = z.strictObject({
  asked: count.nullable(),
  tokens: count.nullable(),
  source: z.enum(tokenSources).nullable(),
});
export type TokenCount = z.infer<typeof TokenCount>;

/**
 * One request, raw: all figures of a report can be computed again from these lines.
 * Times are µs on one monotonic clock, counted from the run's start.
 */
export const RequestRecord = z.strictObject({
  schema: z.literal(runSchema),
  id: count,
  stage: count,
  phase: z.enum(['warmup', 'measured']),
  /** Stream (slot of the closed loop) that sent it. */
  stream: count,
  /** Of a conversation: its number, and which turn of it this is, from 0. */
  session: z.strictObject({ number: count, turn: count }).optional(),
  /** When the profile wanted it sent. */
  scheduled: microseconds,
  /** When the client began (asked for a connection), had the connection, and had written the last byte. */
  started: nullableTime,
  connected: nullableTime,
  sent: nullableTime,
  headers: nullableTime,
  firstByte: nullableTime,
  /** First event with non-empty content, reasoning or tool call; null when there was none or no stream. */
  firstToken: nullableTime,
  /** First event with non-empty content. */
  firstContent: nullableTime,
  last: nullableTime,
  /** End of the answer: [DONE], the end of the body, or the fault. */
  done: microseconds,
  /** Gaps between consecutive token-bearing events; one fewer than there are such events. */
  gaps: z.array(count),
  events: count,
  status: z.int().nullable(),
  /** The server's own id of its answer, by which its log knows it. */
  responseId: z.string().nullable().default(null),
  outcome: z.enum(outcomes),
  error: z.string().nullable(),
  finish: z.string().nullable(),
  prompt: TokenCount,
  output: TokenCount,
  /** Texts that the answer has an embedding or a rank for; absent where it makes tokens. */
  inputs: count.nullish(),
  /** Of the output tokens, those of reasoning; absent or null: neither told nor seen. */
  reasoning: z.strictObject({ tokens: count, source: z.enum(['usage', 'events']) }).nullish(),
  /** Prompt tokens that the server took from its prefix cache, by its own account. */
  cached: count.nullable(),
  /** The server's own clock for the two phases, where it tells (llama.cpp `timings`). */
  server: z.strictObject({ promptMs: z.number().nullable(), outputMs: z.number().nullable() }).nullable(),
  text: z.string().nullable(),
});
export type RequestRecord = z.infer<typeof RequestRecord>;

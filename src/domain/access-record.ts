import { z } from 'zod';

/**
 * How a request ended.
 * - `done`: the client has the whole reply, an engine's own error among them.
 * - `refused`: the gateway answered with an error of its own; `code` says which.
 * - `cut`: the reply had begun and broke off.
 * - `client-gone`: the client left first.
 * - `cancelled`: an operator ended it, or the gateway, which ended itself.
 */
export const outcomes = ['done', 'refused', 'cut', 'client-gone', 'cancelled'] as const;

const count = z.int().min(0);
const ms = z.number().min(0);

/**
 * One line of the gateway's access log as JSON: enough to replay the load, and never a prompt, a reply or a secret.
 * What is not known is null.
 */
export const AccessRecord = z.strictObject({
  /** When the request came, to the millisecond. */
  time: z.iso.datetime(),
  id: z.string(),
  /** Id of the caller's key; empty for whoever showed none that is good. */
  key: z.string(),
  /** Empty for a path that is none of the gateway's. */
  endpoint: z.string(),
  /** Name the client asked for; empty when the request named none, or was refused before it was known. */
  model: z.string(),
  deployment: z.string().nullable(),
  instance: z.string().nullable(),
  stream: z.boolean(),
  /** What the request is counted as; 499: the client left. */
  status: z.int(),
  outcome: z.enum(outcomes),
  /** Code of the gateway's own error. */
  code: z.string().nullable(),
  /** In line for a slot, or for a model to be loaded; of several lines all together. Null for what was refused before it came to one. */
  queueMs: ms.nullable(),
  /** From the request to the first bytes of the reply. */
  ttftMs: ms.nullable(),
  durationMs: ms,
  inputTokens: count.nullable(),
  outputTokens: count.nullable(),
  /** `engine`: the engine's own figures; `estimate`: a stream broke off, so that its events were counted and its prompt was guessed by its bytes. */
  tokenSource: z.enum(['engine', 'estimate']).nullable(),
  /** Bytes of the request's body. */
  bytesIn: count,
  retries: count,
  /** Address of who asked, of requests that the gateway answered itself. */
  client: z.string().optional(),
  /** How many such lines were left out before this one, as there were too many at once. */
  leftOut: count.optional(),
});
export type AccessRecord = z.infer<typeof AccessRecord>;

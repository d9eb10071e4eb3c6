import { z } from 'zod';

/**
 * `reading`: its body is coming · `queued`: it waits for a slot · `waiting`: an engine has it and has not answered ·
 * `replying`: the reply is on its way.
 */
export const livePhases = ['reading', 'queued', 'waiting', 'replying'] as const;

/** One request that is under way in the gateway now. */
export const LiveRequest = z.strictObject({
  id: z.string(),
  key: z.string(),
  endpoint: z.string(),
  model: z.string(),
  instance: z.string().nullable(),
  phase: z.enum(livePhases),
  ageMs: z.int().min(0),
  /** Pieces of the reply so far: in a stream about one a token. */
  pieces: z.int().min(0),
});
export type LiveRequest = z.infer<typeof LiveRequest>;

export const LiveRequests = z.strictObject({
  /** Oldest first. */
  requests: z.array(LiveRequest),
  /** All that are under way; more than `requests` when the list was cut. */
  total: z.int().min(0),
});
export type LiveRequests = z.infer<typeof LiveRequests>;

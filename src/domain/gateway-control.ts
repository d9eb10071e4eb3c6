import { z } from 'zod';
import { restartReasons } from './restarts.ts';
import { Takeover } from './takeover.ts';

const ms = z.int().positive();

/**
 * What a control process may ask its gateway while it runs. Each ends by itself after `forMs`, so that an asker that
 * dies leaves no route shut.
 * - `hold`: newcomers of a deployment wait in its queue, up to their deadline. `release` serves them.
 * - `drain`: the engine at this URL of a machine (this one, unless said otherwise) takes nothing new; answered once its
 *   requests have ended, or after `graceMs`, with how many are left. `resume` lets it take requests again.
 * - `shift`: what runs has been taken in here; the control processes of other gateways are to do so as well.
 * - `followed`: answers the event "follow", by which another gateway asks for that; the reason when it was not done.
 * The first five reach every gateway that shares a store with this one, and are answered by Moved.
 * - `sides`: how both engines of a deployment do of which one takes over from the other, as this gateway has seen it.
 * - `requests`: LiveRequests. `cancel`: ends one of them; its client is told.
 * - `load-progress`: how far a model on demand is, as a part from 0 to 1: of its fetch, then of its load. `load-failed`: it
 *   could not be fetched or started; the reason, a sentence, is for clients. `fetch-ended`: it has been fetched, and what the
 *   configuration says of it by now holds. That one runs or is gone is told by the configuration.
 * - `restarted`: an engine of this deployment was started again; it is counted.
 * - `usage`: KeyUsage.
 * - `captures`: CaptureList. `capture`: one CapturedRequest.
 */
export const GatewayCommand = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('hold'), deployment: z.string(), forMs: ms }),
  z.strictObject({ do: z.literal('release'), deployment: z.string() }),
  z.strictObject({
    do: z.literal('drain'),
    url: z.string(),
    machine: z.string().optional(),
    graceMs: z.int().min(0),
    forMs: ms,
  }),
  z.strictObject({ do: z.literal('resume'), url: z.string(), machine: z.string().optional() }),
  z.strictObject({ do: z.literal('shift'), to: z.unknown() }),
  z.strictObject({ do: z.literal('followed'), wish: z.string(), fault: z.string().nullable() }),
  z.strictObject({ do: z.literal('sides'), deployment: z.string() }),
  z.strictObject({ do: z.literal('requests') }),
  z.strictObject({ do: z.literal('usage') }),
  z.strictObject({
    do: z.literal('restarted'),
    deployment: z.string(),
    reason: z.enum(restartReasons),
  }),
  z.strictObject({ do: z.literal('cancel'), request: z.string() }),
  z.strictObject({ do: z.literal('captures') }),
  z.strictObject({ do: z.literal('capture'), request: z.string() }),
  z.strictObject({
    do: z.literal('load-progress'),
    deployment: z.string(),
    part: z.number().min(0).max(1),
  }),
  z.strictObject({ do: z.literal('fetch-ended'), deployment: z.string() }),
  z.strictObject({ do: z.literal('load-failed'), deployment: z.string(), reason: z.string() }),
]);
export type GatewayCommand = z.infer<typeof GatewayCommand>;

/** What is told of a load that goes on. */
export type LoadNews = Extract<GatewayCommand, { do: 'load-progress' | 'fetch-ended' | 'load-failed' }>;

/** One line to the gateway's standard input: it reads its file again; answered by an event "reloaded" or "reload-failed" of the same `id`. */
export const ReloadAsk = z.strictObject({ id: z.int(), reload: z.literal(true) });
export type ReloadAsk = z.infer<typeof ReloadAsk>;

/** One line to the gateway's standard input; answered by an event "answer" of the same `id`. */
export const GatewayAsk = z.strictObject({ id: z.int(), command: GatewayCommand });
export type GatewayAsk = z.infer<typeof GatewayAsk>;

/** What came of moving traffic. */
export const Moved = z.object({
  /** Requests that are still under way at an engine that was drained, at all gateways together. */
  left: z.int().min(0),
  /** Which other gateways were not reached, or did not do it, in sentences; absent: all have. */
  untold: z.string().optional(),
  /** Of `sides` alone; null: no engine takes over from another one there. */
  sides: Takeover.nullable().optional(),
});
export type Moved = z.infer<typeof Moved>;

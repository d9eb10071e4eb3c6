import { z } from 'zod';
import type { Moved } from '../../domain/gateway-control.ts';

const forMs = z.int().positive();

/** An engine that takes the place of another of the same replica; on a machine that is named where it comes from another one. */
export const Successor = z.strictObject({
  deployment: z.string(),
  replica: z.int().min(0),
  port: z.int(),
  machine: z.string().optional(),
  /** Both serve until one without a share comes: this one gets so much of their requests, 0 to 1. */
  share: z.number().min(0).max(1).optional(),
});
export type Successor = z.infer<typeof Successor>;

/** One step of moving traffic, as `apply` asks it of a running `berth up`. */
export const TrafficStep = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('hold'), deployment: z.string(), forMs }),
  z.strictObject({ do: z.literal('release'), deployment: z.string() }),
  z.strictObject({
    do: z.literal('drain'),
    url: z.string(),
    machine: z.string(),
    forMs,
    /** Whoever interrupts wants just this, and it goes on. */
    calm: z.literal(true).optional(),
  }),
  z.strictObject({ do: z.literal('resume'), url: z.string(), machine: z.string() }),
  z.strictObject({
    do: z.literal('shift'),
    to: Successor.nullable(),
    /** Where the fleet file has a fault, what is in force stays, but for what was stopped by hand since. */
    despiteFaults: z.literal(true).optional(),
  }),
  z.strictObject({ do: z.literal('sides'), deployment: z.string() }),
]);
export type TrafficStep = z.infer<typeof TrafficStep>;

/**
 * How whoever changes engines moves requests out of the way. Every step ends by itself after its `forMs`, so that one
 * who dies midway leaves nothing shut.
 * - `hold`: newcomers of the deployment wait, up to their own deadline; `release` lets them through.
 * - `drain`: the engine at this URL of a machine gets nothing new; resolves when its requests have ended, or when the gateway's
 *   `limits.drain` is over, with how many are left. `resume` takes that back.
 * - `shift`: the fleet file and what runs now are taken in; of two engines of one replica `to` is the one that serves, or gets a share.
 * - `sides`: tells how two engines of a deployment do that share its requests.
 */
export type Traffic = (step: TrafficStep) => Promise<Moved>;

/** Where no gateway runs. */
export function noTraffic(): Promise<Moved> {
  return Promise.resolve({ left: 0 });
}

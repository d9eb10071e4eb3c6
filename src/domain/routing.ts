import { z } from 'zod';
import { priorities } from './key-limits.ts';
import { StickyBy } from './sticky-by.ts';
import { PositiveDuration } from './units.ts';

/** A policy and its options; the registry of policies knows what each kind may say. */
export const PolicyChoice = z.looseObject({ kind: z.string() });
export type PolicyChoice = z.infer<typeof PolicyChoice>;

/** How clients are held to one of a route's deployments. */
export const Split = z.strictObject({
  by: StickyBy,
  salt: z
    .string()
    .min(1)
    .optional()
    .describe('Another salt deals all clients out anew (default: the name of the route).'),
});
export type Split = z.infer<typeof Split>;

/** Why a route gives a request away: nobody there can be reached; its queue is full; the wait there was too long. */
export const fallbackCauses = ['unreachable', 'full', 'deadline'] as const;
export type FallbackCause = (typeof fallbackCauses)[number];
const usualCauses: FallbackCause[] = ['unreachable', 'full'];

/** Where requests go that a route cannot serve; as the gateway gets it. */
export const Fallback = z.strictObject({
  to: z.array(z.string().min(1)).min(1).describe('Names of routes or deployments, tried in this order.'),
  on: z
    .array(z.enum(fallbackCauses))
    .min(1)
    .default(usualCauses)
    .describe(
      'When: "unreachable", no instance can be reached; "full", the queue is full; "deadline", the wait was too long.',
    ),
});
export type Fallback = z.infer<typeof Fallback>;

/** The fallback of a route as the fleet file writes it: the names alone, or all of it. */
export function fallbackOf(said: string[] | Fallback): Fallback {
  return Array.isArray(said) ? { to: said, on: usualCauses } : said;
}

/** Whose name for the model stands in replies. */
export const ReplyModel = z.enum(['engine', 'asked']);

export const Percent = z.number().gt(0).max(100);

const Shadow = z.strictObject({
  to: z
    .string()
    .min(1)
    .meta({ examples: ['candidate'] })
    .describe('The deployment that gets the copies.'),
  percent: Percent.default(100).describe('Of a hundred requests so many are copied, by chance.'),
});

/** What a route of the fleet file may say beside its deployments and its policy. */
export const routeOptions = {
  split: Split.optional().describe(
    'Holds each client to one of the deployments, by weight; without it each request is dealt out by itself.',
  ),
  hold: PositiveDuration.optional().describe(
    'How long its requests may wait while an engine is replaced in its place (default: `limits.queueTime`).',
  ),
  replyModel: ReplyModel.optional().describe(
    'What replies name as their model: "engine", what it wrote itself (the default); "asked", the name that was asked for.',
  ),
  priority: z
    .enum(priorities)
    .optional()
    .describe('Whose requests go first in a queue, as far as their keys may (default: what the key says).'),
  shadow: Shadow.optional().describe(
    'Copies requests to another deployment, whose replies nobody gets; only while it has nothing else to do.',
  ),
  fallback: z
    .union([Fallback.shape.to, Fallback])
    .optional()
    .describe('Who serves what this route cannot serve, as long as the client has got nothing yet.'),
};

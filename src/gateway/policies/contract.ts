import type { z } from 'zod';
import type { Loaded } from '../../domain/instance-load.ts';
import type { StickyBy } from '../../domain/sticky-by.ts';

/** An instance as a policy sees it. */
export interface Candidate extends Loaded {
  readonly id: string;
}

/** What a policy is told of a request; no more than it asked for. */
export interface Ask {
  /** 32-bit hash of who asks; null when the request does not say. */
  readonly unit: number | null;
  /** Hashes of the beginnings of the prompt, shortest first (`hashPrefixes`). */
  readonly prefix: readonly number[];
}

/** What of a request a policy wants to know; null costs nothing. */
export interface Reads {
  readonly unit: StickyBy | null;
  readonly prompt: { readonly blockBytes: number; readonly most: number } | null;
}

/** Chooses among the instances of one deployment. Kept over a reload as long as its options are the same. */
export interface Balancer {
  readonly reads: Reads;
  /**
   * One of `open`, all of which have room; never empty. `alive`: those that are only full as well. The request goes
   * there: what is learnt from it may be noted.
   */
  readonly pick: <One extends Candidate>(open: readonly One[], ask: Ask, alive: readonly One[]) => One;
  /** What it has counted since it began, by event. */
  readonly counts?: () => Readonly<Record<string, number>>;
  /** How many things it remembers; bounded by its options. */
  readonly entries?: () => number;
}

/**
 * A way of choosing an instance. Pure but for what its balancer remembers; `random` gives numbers from 0 up to 1.
 * `beside`: other gateways may send to the same instances, and have policies that are told the same.
 */
export interface Policy<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  readonly options: z.ZodType<Options>;
  readonly create: (options: Options, random: () => number, beside: boolean) => Balancer;
}

export const readsNothing: Reads = { unit: null, prompt: null };

import { adapt, effectiveSlots, startAdaptive } from './adaptive.ts';
import type { AdaptiveState } from './adaptive.ts';
import type { EngineReading } from './engine-reading.ts';
import { createPace, mayPass, pass } from './pace.ts';
import type { Pace } from './pace.ts';

/** How an instance may be bounded beyond its slots. */
export interface RoomOptions {
  /** Requests that it batches at once; null: it does not say. */
  readonly slots: number | null;
  readonly rps: number | null;
  /** Tokens that its cache holds; null: what the engine itself tells counts, if it does. */
  readonly kvTokens: number | null;
  /** Its own gauges trim the limit. */
  readonly adaptive: boolean;
}

/** The share of the cache that is given out: estimates err, and an engine that runs out throws finished work away. */
const kvShare = 0.9;
/** Readings that are older tell nothing. */
const freshMs = 5000;

/** What one instance can take. What is under way is counted by who holds the leases; this holds the rest. */
export class Room {
  #options: RoomOptions;
  #pace: Pace | null;
  #adaptive: AdaptiveState | null = null;
  #reading: { reading: EngineReading; at: number } | null = null;
  #kvHeld = 0;
  #refused = false;
  /** What this gateway has of it; null: all. */
  #share: { readonly slots: number; readonly gateways: number } | null = null;

  constructor(options: RoomOptions, now: number) {
    this.#options = options;
    this.#pace = options.rps === null ? null : createPace(options.rps, now);
  }

  configure(options: RoomOptions, now: number): void {
    this.#setPace(options.rps, now);
    if (!options.adaptive || options.slots !== this.#options.slots) this.#adaptive = null;
    this.#options = options;
  }

  /** Several gateways send to it, and this one may take so much; null: it is alone. */
  divide(share: { readonly slots: number; readonly gateways: number } | null, now: number): void {
    this.#share = share;
    this.#setPace(this.#options.rps, now);
  }

  #setPace(rps: number | null, now: number): void {
    const own = rps === null ? null : rps / this.#gateways;
    if (own !== (this.#pace?.perSecond ?? null)) this.#pace = own === null ? null : createPace(own, now);
  }

  get #gateways(): number {
    return this.#share?.gateways ?? 1;
  }

  /** Requests that may be under way there now from here; null: any number. */
  get slots(): number | null {
    const slots = this.slotsOfAll;
    return slots === null || !this.#share ? slots : Math.min(slots, this.#share.slots);
  }

  /** Requests that may be under way there now, whoever sends them; null: any number. */
  get slotsOfAll(): number | null {
    const { slots } = this.#options;
    return this.#adaptive ? effectiveSlots(this.#adaptive, slots) : slots;
  }

  get pace(): Pace | null {
    return this.#pace;
  }

  /** Tokens that may be held there at once; null: any number. */
  get kvLimit(): number | null {
    const tokens = this.#options.kvTokens ?? this.#reading?.reading.kvTokens ?? null;
    return tokens === null ? null : (tokens * kvShare) / this.#gateways;
  }

  get kvHeld(): number {
    return this.#kvHeld;
  }

  /** The limit that its gauges have led to; null as long as they have told nothing. */
  get adaptiveLimit(): number | null {
    return this.#adaptive?.limit ?? null;
  }

  /** What the engine told lately. */
  reading(now: number): EngineReading | null {
    return this.#reading && now - this.#reading.at <= freshMs ? this.#reading.reading : null;
  }

  /** One more request of so many tokens fits. Alone it always does, however large: elsewhere it would fare no better. */
  fits(inflight: number, tokens: number, now: number): boolean {
    if (this.#pace && !mayPass(this.#pace, now)) return false;
    if (inflight === 0) return this.#share === null || this.#share.slots > 0;
    const { slots, kvLimit } = this;
    if (slots !== null && inflight >= slots) return false;
    return kvLimit === null || this.#kvHeld + tokens <= kvLimit;
  }

  enter(tokens: number, now: number): void {
    this.#kvHeld += tokens;
    if (this.#pace) pass(this.#pace, now);
  }

  leave(tokens: number): void {
    this.#kvHeld -= tokens;
  }

  /** What is under way holds so many tokens more, or fewer, than it entered with. */
  grow(tokens: number): void {
    this.#kvHeld += tokens;
  }

  /** The engine answered 429 or 503. */
  noteRefusal(): void {
    this.#refused = true;
  }

  /** Takes in a look at the engine's gauges; null: they could not be read. */
  observe(reading: EngineReading | null, inflight: number, now: number): void {
    if (reading) this.#reading = { reading, at: now };
    const { adaptive, slots } = this.#options;
    // An engine that never told anything is not bounded by a guess.
    // What one refused before it told anything was that it still loads: nothing is known of what it can take.
    const refused = this.#refused && this.#adaptive !== null;
    this.#refused = false;
    if (!adaptive || (!this.#adaptive && !reading)) return;
    this.#adaptive = adapt(this.#adaptive ?? startAdaptive(slots), {
      reading,
      slots,
      inflight,
      refused,
      now,
    });
  }
}

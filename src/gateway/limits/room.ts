import { adapt, effectiveSlots, forget, startAdaptive } from './adaptive.ts';
import type { AdaptiveState } from './adaptive.ts';
import type { EngineReading } from './engine-reading.ts';
import { createPace, mayPass, pass, rescale } from './pace.ts';
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
/** What readings have led to does not outlive them for longer. */
const forgetMs = 30_000;

/** What one of several gateways has of an instance. */
export interface RoomShare {
  readonly gateways: number;
  readonly slots: number;
  /** Requests of the other gateways that are under way there, about. */
  readonly others: number;
  /** Tokens in its cache; null: an even part of them. */
  readonly kvTokens: number | null;
  /** Requests per second; null: an even part of them. */
  readonly rps: number | null;
}

/** What one instance can take. What is under way is counted by who holds the leases; this holds the rest. */
export class Room {
  #options: RoomOptions;
  #pace: Pace | null;
  #adaptive: AdaptiveState | null = null;
  #reading: { reading: EngineReading; at: number } | null = null;
  /** The latest reading, or when what came of it was forgotten. */
  #toldAt = 0;
  #kvHeld = 0;
  #refused = false;
  /** Requests that have gone there from here. */
  passed = 0;
  /** What this gateway has of it; null: all. */
  #share: RoomShare | null = null;

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
  divide(share: RoomShare | null, now: number): void {
    this.#share = share;
    this.#setPace(this.#options.rps, now);
  }

  #setPace(rps: number | null, now: number): void {
    const own = rps === null ? null : (this.#share?.rps ?? rps / this.#gateways);
    if (own === (this.#pace?.perSecond ?? null)) return;
    if (own === null) this.#pace = null;
    else this.#pace = this.#pace ? rescale(this.#pace, own, now) : createPace(own, now);
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

  /** Requests per second, whoever sends them; null: any number. */
  get rpsOfAll(): number | null {
    return this.#options.rps;
  }

  /** Requests per second that may be counted on: a part that was lent comes back as soon as it is needed. */
  get usualRate(): number {
    return Math.max(this.#pace?.perSecond ?? 0, (this.#options.rps ?? 0) / this.#gateways);
  }

  /** Tokens that may be held there at once from here; null: any number. */
  get kvLimit(): number | null {
    const tokens = this.kvLimitOfAll;
    return tokens === null ? null : (this.#share?.kvTokens ?? tokens / this.#gateways);
  }

  /** Tokens that may be held there at once, whoever sends them; null: any number. */
  get kvLimitOfAll(): number | null {
    const tokens = this.#options.kvTokens ?? this.#reading?.reading.kvTokens ?? null;
    return tokens === null ? null : tokens * kvShare;
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
    this.passed += 1;
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
    const { adaptive, slots } = this.#options;
    if (reading) this.#reading = { reading, at: now };
    const isLate = !reading && now - this.#toldAt > forgetMs;
    if (isLate && this.#adaptive) this.#adaptive = forget(this.#adaptive, slots);
    if (reading || isLate) this.#toldAt = now;
    // An engine that never told anything is not bounded by a guess.
    // What one refused before it told anything was that it still loads: nothing is known of what it can take.
    const refused = this.#refused && this.#adaptive !== null;
    this.#refused = false;
    if (!adaptive || (!this.#adaptive && !reading)) return;
    this.#adaptive = adapt(this.#adaptive ?? startAdaptive(slots), {
      reading,
      slots,
      inflight,
      others: this.#share?.others ?? 0,
      own: this.#share?.slots ?? null,
      refused,
      now,
    });
  }
}

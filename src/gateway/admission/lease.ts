import type { CacheTokens } from '../limits/cache-tokens.ts';
import type { Instance } from '../routing/instance.ts';

/** Engines give their cache out in blocks of about so many tokens. */
const block = 16;

/** Who gives leases out. */
export interface Lessor {
  /** Called once, when nothing of it is held any more. */
  readonly onGivenBack: (lease: Lease) => void;
}

/**
 * The right to have one request under way at an instance. Taken by the deployment, given back exactly once however
 * the request ends (`using`).
 */
export class Lease {
  readonly instance: Instance;
  /** What the request was foreseen to hold of the engine's cache. */
  readonly foreseen: CacheTokens;
  /** Tokens of an answer that its place in the engine's cache has room for; Infinity where nobody counts that. */
  answer: number;
  readonly #lessor: Lessor;
  #held = true;

  constructor(instance: Instance, foreseen: CacheTokens, lessor: Lessor) {
    this.instance = instance;
    this.foreseen = foreseen;
    this.answer = foreseen.answer;
    this.#lessor = lessor;
    instance.inflight += 1;
  }

  /** The answer is longer than was foreseen, and nobody else may count on what it holds of the cache. Returns what it has room for by now. */
  outgrow(tokens: number): number {
    const more = Math.ceil((tokens - this.answer) / block) * block;
    this.answer += more;
    this.instance.room.grow(more);
    return this.answer;
  }

  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    this.instance.inflight -= 1;
    const { answer } = this.foreseen;
    if (this.answer > answer) this.instance.room.grow(answer - this.answer);
    this.#lessor.onGivenBack(this);
  }
}

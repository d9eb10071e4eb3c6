import type { Instance } from '../routing/instance.ts';

/** Engines give their cache out in blocks of about so many tokens. */
const block = 16;

/**
 * The right to have one request under way at an instance. Taken by the deployment, given back exactly once however
 * the request ends (`using`).
 */
export class Lease {
  readonly instance: Instance;
  /** Tokens of an answer that its place in the engine's cache has room for; Infinity where nobody counts that. */
  answer: number;
  readonly #foreseen: number;
  readonly #giveBack: (instance: Instance) => void;
  #held = true;

  constructor(instance: Instance, answer: number, giveBack: (instance: Instance) => void) {
    this.instance = instance;
    this.answer = answer;
    this.#foreseen = answer;
    this.#giveBack = giveBack;
    instance.inflight += 1;
  }

  /** The answer is longer than was foreseen, and nobody else may count on what it holds of the cache. */
  outgrow(tokens: number): void {
    const more = Math.ceil((tokens - this.answer) / block) * block;
    this.answer += more;
    this.instance.room.grow(more);
  }

  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    this.instance.inflight -= 1;
    if (this.answer > this.#foreseen) this.instance.room.grow(this.#foreseen - this.answer);
    this.#giveBack(this.instance);
  }
}

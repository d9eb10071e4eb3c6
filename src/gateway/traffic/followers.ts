import type { WishAnswer } from '../../domain/traffic-wish.ts';

/** Has the control process of this gateway take in what runs now, because another one's has. */
export class Followers {
  readonly #tell: ((wish: string, to: unknown) => void) | null;
  readonly #waiting = new Map<string, (answer: WishAnswer) => void>();

  /** `tell`: asks the control process; null: there is none, or one that looks for itself all the time. */
  constructor(tell: ((wish: string, to: unknown) => void) | null) {
    this.#tell = tell;
  }

  follow(wish: string, to: unknown): Promise<WishAnswer> {
    if (!this.#tell) return Promise.resolve({ left: 0 });
    const { promise, resolve } = Promise.withResolvers<WishAnswer>();
    this.#waiting.set(wish, resolve);
    this.#tell(wish, to);
    return promise;
  }

  answer({ wish, fault }: { wish: string; fault: string | null }): void {
    this.#waiting.get(wish)?.(fault === null ? { left: 0 } : { left: 0, fault });
    this.#waiting.delete(wish);
  }
}

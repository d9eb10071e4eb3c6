import type { WishAnswer } from '../../domain/traffic-wish.ts';

export interface FollowersOptions {
  /** Asks the control process; null: there is none, or one that looks for itself all the time. */
  readonly tell: ((wish: string, to: unknown) => void) | null;
  /** Calls the task after that many milliseconds, unless called off. */
  readonly after: (ms: number, task: () => void) => () => void;
}

/** Has the control process of this gateway take in what runs now, because another one's has. */
export class Followers {
  readonly #options: FollowersOptions;
  readonly #waiting = new Map<string, (answer: WishAnswer) => void>();

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** Wishes that the control process has not answered yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** `leftMs`: nobody waits for an answer longer. */
  follow(wish: string, { to, leftMs }: { to: unknown; leftMs: number }): Promise<WishAnswer> {
    const { tell, after } = this.#options;
    if (!tell) return Promise.resolve({ left: 0 });
    const { promise, resolve } = Promise.withResolvers<WishAnswer>();
    const callOff = after(leftMs, () => this.answer({ wish, fault: silent }));
    this.#waiting.set(wish, (answer) => {
      callOff();
      resolve(answer);
    });
    tell(wish, to);
    return promise;
  }

  answer({ wish, fault }: { wish: string; fault: string | null }): void {
    const told = this.#waiting.get(wish);
    this.#waiting.delete(wish);
    told?.(fault === null ? { left: 0 } : { left: 0, fault });
  }
}

const silent = 'its control process does not answer';

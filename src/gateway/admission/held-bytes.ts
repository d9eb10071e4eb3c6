/** Counts the request bodies that lie in memory, all together: those that wait are as dear as those under way. */
export class HeldBytes {
  limit: number;
  total = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  fits(bytes: number): boolean {
    return this.total + bytes <= this.limit;
  }
}

/** One request's share; `release` gives all of it back, however often it is called. */
export class BodyShare {
  readonly #held: HeldBytes;
  #bytes = 0;

  constructor(held: HeldBytes) {
    this.#held = held;
  }

  fits(bytes: number): boolean {
    return this.#held.fits(bytes);
  }

  take(bytes: number): boolean {
    if (!this.#held.fits(bytes)) return false;
    this.#held.total += bytes;
    this.#bytes += bytes;
    return true;
  }

  release(): void {
    this.#held.total -= this.#bytes;
    this.#bytes = 0;
  }
}

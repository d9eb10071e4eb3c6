/** Which instances have read which beginnings of prompts; bounded, the longest unused go first. */
export class PrefixIndex {
  evictions = 0;
  readonly #most: number;
  /** By hash of the beginning, in the order of use. */
  readonly #holders = new Map<number, Set<string>>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#holders.size;
  }

  holders(hash: number): ReadonlySet<string> | undefined {
    return this.#holders.get(hash);
  }

  /** Some instance has read a beginning of at least so many blocks. */
  knows(prefix: readonly number[], least: number): boolean {
    const hash = prefix[least - 1];
    return hash !== undefined && this.#holders.has(hash);
  }

  /** The longest first, so that of one prompt the end is forgotten before the beginning, as engines do. */
  note(prefix: readonly number[], instance: string): void {
    for (let i = prefix.length - 1; i >= 0; i -= 1) {
      const hash = prefix[i] as number;
      const holders = this.#holders.get(hash);
      if (holders) this.#holders.delete(hash);
      this.#holders.set(hash, holders?.add(instance) ?? new Set([instance]));
    }
    for (const oldest of this.#holders.keys()) {
      if (this.#holders.size <= this.#most) return;
      this.#holders.delete(oldest);
      this.evictions += 1;
    }
  }
}

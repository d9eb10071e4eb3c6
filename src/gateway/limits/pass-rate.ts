const smoothMs = 1000;

/** How many requests per second have passed lately, from a count that grows: a mean that forgets within seconds. */
export class PassRate {
  perSecond = 0;
  #count: number;
  #at: number;

  constructor(count: number, now: number) {
    this.#count = count;
    this.#at = now;
  }

  observe(count: number, now: number): number {
    const ms = now - this.#at;
    if (ms <= 0) return this.perSecond;
    const latest = ((count - this.#count) / ms) * 1000;
    this.perSecond += (latest - this.perSecond) * (1 - Math.exp(-ms / smoothMs));
    this.#count = count;
    this.#at = now;
    return this.perSecond;
  }
}

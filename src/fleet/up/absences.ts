/** Of whom somebody is there, from look to look. */
export class Absences {
  #there: ReadonlySet<string> = new Set();
  readonly #gone = new Set<string>();

  /** Who is left by the last one since then, and who has somebody again; `taken` once that has been acted on. */
  look(now: ReadonlySet<string>): { left: string[]; back: string[]; taken: () => void } {
    const left = [...this.#there].filter((name) => !now.has(name));
    const back = [...this.#gone].filter((name) => now.has(name));
    return {
      left,
      back,
      taken: () => {
        this.#there = now;
        for (const name of left) this.#gone.add(name);
        for (const name of back) this.#gone.delete(name);
      },
    };
  }
}

/** Numbers of those who come and go: each keeps its own for as long as it is there, and a free one is given again. */
export class Seats {
  readonly #taken = new Map<string, ReadonlyMap<string, number>>();

  /** Who is there now, of one group. */
  take(group: string, names: readonly string[]): ReadonlyMap<string, number> {
    const before = this.#taken.get(group);
    const kept = new Map(
      names.flatMap((name) => {
        const number = before?.get(name);
        return number === undefined ? [] : [[name, number] as const];
      }),
    );
    const used = new Set(kept.values());
    for (const name of names) {
      if (kept.has(name)) continue;
      let number = 0;
      while (used.has(number)) number += 1;
      used.add(number);
      kept.set(name, number);
    }
    this.#taken.set(group, kept);
    return kept;
  }
}

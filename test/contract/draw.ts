/** Random choices that are the same on every run. */
export interface Draw {
  readonly chance: () => number;
  /** 1 to `most`. */
  readonly upTo: (most: number) => number;
  readonly one: <T>(values: readonly T[]) => T;
  /** At least one of them, in their order. */
  readonly some: <T>(values: readonly T[]) => T[];
}

/** Park and Miller's generator. */
export function drawFrom(seed: number): Draw {
  let state = seed;
  function chance(): number {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  }
  function one<T>(values: readonly T[]): T {
    return values[Math.floor(chance() * values.length)] as T;
  }
  function some<T>(values: readonly T[]): T[] {
    const chosen = values.filter(() => chance() < 0.5);
    return chosen.length > 0 ? chosen : [one(values)];
  }
  return { chance, upTo: (most) => 1 + Math.floor(chance() * most), one, some };
}

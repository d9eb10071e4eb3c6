import type { Moment } from './machine.ts';
import type { Change } from './story.ts';

export interface SeededMoment {
  readonly change: Change;
  readonly moment: Moment;
}

/** Numbers below 1 from a seed: the same ones on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often there was a kill before and after each kind of effect. */
export type Hits = Map<string, { before: number; after: number }>;

/** A moment that came for too many misses counts as met once: it may be one that there is no more. */
const missesForOne = 4;

/**
 * Draws one moment after the other: before or after the kind of effect that was met least so far, so that rare kinds are met as
 * often as frequent ones; which effect of that kind, and how long after it, comes from the seed. The same hits give the same draws.
 */
export function momentsFrom(
  effects: readonly (readonly [Change, readonly string[]])[],
  seed: number,
): (hits: Hits) => SeededMoment {
  const random = randomFrom(seed);
  const all = effects.flatMap(([change, found]) =>
    found.map((kind, index) => ({
      change,
      kind,
      effect: found.slice(0, index).filter((one) => one === kind).length,
    })),
  );
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const sides = kinds.flatMap((kind) =>
    (['before', 'after'] as const).map((when) => ({ kind, when, drawn: 0 })),
  );
  return (hits) => {
    const ranked = sides.map((side) => {
      const met = hits.get(side.kind)?.[side.when] ?? 0;
      return { side, rank: met + Math.floor((side.drawn - met) / missesForOne), tie: random() };
    });
    const [first] = ranked.toSorted((a, b) => a.rank - b.rank || a.tie - b.tie);
    if (!first) throw new Error('A change has no effects.');
    const { side } = first;
    side.drawn += 1;
    const places = all.filter((one) => one.kind === side.kind);
    const place = places[Math.floor(random() * places.length)];
    const late = side.when === 'after' && random() < 0.5 ? { delayMs: Math.floor(random() * 60) } : {};
    return {
      change: place?.change ?? 'flip',
      moment: { effect: place?.effect ?? 0, kind: side.kind, when: side.when, ...late },
    };
  };
}

export function countHit(hits: Hits, kind: string, when: 'before' | 'after'): void {
  const hit = hits.get(kind) ?? { before: 0, after: 0 };
  hit[when] += 1;
  hits.set(kind, hit);
}

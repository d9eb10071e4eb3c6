import type { Moment } from './machine.ts';

export interface SeededMoment {
  readonly change: 'flip' | 'fail';
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

/**
 * Moments in turn before and after every kind of effect, so that rare kinds are met as often as frequent ones; which effect of
 * that kind, and how long after it, comes from the seed.
 */
export function seededMoments(
  effects: Readonly<Record<'flip' | 'fail', readonly string[]>>,
  { seed, count }: { seed: number; count: number },
): SeededMoment[] {
  const random = randomFrom(seed);
  const all = (['flip', 'fail'] as const).flatMap((change) =>
    effects[change].map((kind, index) => ({
      change,
      kind,
      effect: effects[change].slice(0, index).filter((one) => one === kind).length,
    })),
  );
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return Array.from({ length: count }, (_, turn): SeededMoment => {
    const kind = kinds[Math.floor(turn / 2) % kinds.length] ?? '';
    const places = all.filter((one) => one.kind === kind);
    const place = places[Math.floor(random() * places.length)];
    const when = turn % 2 === 0 ? 'before' : 'after';
    const late = when === 'after' && random() < 0.5 ? { delayMs: Math.floor(random() * 60) } : {};
    return { change: place?.change ?? 'flip', moment: { effect: place?.effect ?? 0, kind, when, ...late } };
  });
}

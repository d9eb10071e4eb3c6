import type { World } from '../../src/io/world.ts';

/** The same world with a time that passes by its sleeps alone, and so many times faster than they say. */
export function hurried(world: World, times = 1): { world: World; now: () => number } {
  let at = world.clock.now();
  const clock = {
    ...world.clock,
    now: () => at,
    sleep: (ms: number) => {
      at += ms * times;
      return Promise.resolve();
    },
  };
  return { world: { ...world, clock }, now: () => at };
}

import { expect, test } from 'vitest';
import type { Route } from '../../domain/gateway-config.ts';
import { fallbackPlan } from './fallback.ts';

function routes(...all: readonly [name: string, to: string[], aliasOf?: string][]): Map<string, Route> {
  return new Map(
    all.map(([name, to, aliasOf = null]) => [
      name,
      {
        name,
        to: [{ deployment: name, weight: 1 }],
        aliasOf,
        ...(to.length > 0 && { fallback: { to, on: ['full' as const] } }),
      },
    ]),
  );
}

function planOf(name: string, all: ReadonlyMap<string, Route>): readonly string[] | undefined {
  return fallbackPlan(all.get(name) as Route, all)?.to;
}

test('each fallback is followed by its own, none comes twice, and an alias stands for its route', () => {
  const all = routes(['a', ['b', 'nick']], ['b', ['d']], ['c', ['d']], ['nick', ['d'], 'c'], ['d', []]);
  expect(planOf('a', all)).toEqual(['b', 'd', 'c']);
  expect(planOf('d', all)).toBeUndefined();
});

test('a loop ends where it closes', () => {
  const all = routes(['a', ['b']], ['b', ['c']], ['c', ['a', 'b']]);
  expect(planOf('a', all)).toEqual(['b', 'c']);
});

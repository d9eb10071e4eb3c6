import { expect, test } from 'vitest';
import { hrefOf, parseRoute } from './route.ts';
import type { Route } from './route.ts';

test('every address of the console leads back to its page, whatever the names hold', () => {
  const routes: Route[] = [
    { page: 'fleet' },
    { page: 'playground', model: null },
    { page: 'playground', model: 'org/model:Q4 100%' },
    { page: 'requests' },
    { page: 'runs' },
    { page: 'run', id: '20260101T120000Z_levels_1a2b3c' },
    { page: 'logs', deployment: null },
    { page: 'logs', deployment: 'a/b#c' },
  ];
  for (const route of routes) expect(parseRoute(hrefOf(route))).toEqual(route);
});

test('an address that nobody wrote leads to the fleet', () => {
  for (const hash of ['', '#', '#/', '#/nothing', '#main', '#/%E0%A4%A'])
    expect(parseRoute(hash)).toEqual({ page: 'fleet' });
});

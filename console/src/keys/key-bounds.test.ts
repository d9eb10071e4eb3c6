import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { KeyView } from '../../../src/domain/key-record.ts';
import { KeyTable } from './key-table.tsx';
import { UsageTable } from './usage-table.tsx';

const at = '2026-01-01T00:00:00.000Z';

/** A key that has a budget in money of its own, and one in tokens as each key has. */
const guest: KeyView = {
  id: 'key-1',
  name: 'guest',
  source: 'made',
  state: 'active',
  models: null,
  endpoints: null,
  control: false,
  limits: { budget: { month: { usd: 2 } } },
  bounds: { rpm: 60, budget: { day: { tokens: 1000 }, month: { usd: 2 } } },
  createdAt: at,
  rotatedAt: null,
  expiresAt: null,
  previousUntil: null,
};

/** The text of each cell, in rows. */
function cells(markup: string): string[][] {
  return [...markup.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell = '']) => cell.replace(/<[^>]*>/g, '')),
  );
}

test('the table of keys has all bounds that hold for a key', () => {
  async function nothing(): Promise<void> {}
  const table = createElement(KeyTable, { keys: [guest], onRotate: nothing, onRevoke: nothing });
  expect(cells(renderToStaticMarkup(table))[1]?.[3]).toBe(
    '60 requests/min, 1000 tokens a day, 2 USD a month',
  );
});

test('what a key has spent stands beside the budgets that hold for it', () => {
  const spent = [
    {
      key: 'key-1',
      day: { requests: 1, tokens: 120, usd: 0.5 },
      month: { requests: 1, tokens: 120, usd: 0.5 },
    },
  ];
  const report = { since: at, uses: [], spent };
  const markup = renderToStaticMarkup(createElement(UsageTable, { report, keys: [guest], error: null }));
  expect(cells(markup)[1]).toEqual(['guest', '120 of 1,000', '0.5', '120', '0.5 of 2']);
});

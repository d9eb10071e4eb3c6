import { expect, test } from 'vitest';
import { shareOf, toClaim } from './share-of-instance.ts';

const idle = { capacity: 8, used: 0, waiting: 0, one: 1 };

test('a gateway that has heard of no other claims all slots, and uses them only when they are granted', () => {
  expect(toClaim(null, idle, true)).toEqual({ ask: 8, use: 8 });
  expect(toClaim({ amount: 3, gateways: 2, hungry: 0, busy: 0 }, idle, true)).toEqual({ ask: 4, use: 3 });
});

test('a busy gateway borrows what others do not need', () => {
  expect(
    toClaim({ amount: 4, gateways: 2, hungry: 0, busy: 0 }, { ...idle, used: 4, waiting: 9 }, true).ask,
  ).toBe(8);
});

test('when another is short, a gateway keeps an even share at most, and what it lends stays unused at once', () => {
  const busy = { ...idle, used: 8, waiting: 9 };
  expect(toClaim({ amount: 8, gateways: 2, hungry: 3, busy: 0 }, busy, true)).toEqual({ ask: 4, use: 4 });
  expect(toClaim({ amount: 8, gateways: 2, hungry: 3, busy: 0 }, idle, true)).toEqual({ ask: 0, use: 0 });
});

test('of fewer slots than gateways each has its turn', () => {
  const one = { capacity: 1, used: 0, waiting: 1, one: 1 };
  const share = { amount: 0, gateways: 2, hungry: 1, busy: 0 };
  expect(toClaim(share, one, true).ask).toBe(1);
  expect(toClaim(share, one, false).ask).toBe(0);
  expect(toClaim({ ...share, amount: 1 }, { ...one, used: 1 }, true)).toEqual({ ask: 0, use: 0 });
});

test('what was granted only since it is in use is not used again', () => {
  expect(shareOf(4, { granted: 6, hungry: 1, busy: 0, gateways: 2 })).toEqual({
    amount: 4,
    hungry: 1,
    busy: 0,
    gateways: 2,
  });
});

test('of tokens in a cache, and of a rate, a gateway keeps room for one more of its requests', () => {
  const need = { capacity: 9000, used: 1200, waiting: 0, one: 400 };
  expect(toClaim({ amount: 9000, gateways: 2, hungry: 0, busy: 0 }, need, true).ask).toBe(4500);
  expect(toClaim({ amount: 9000, gateways: 2, hungry: 800, busy: 0 }, need, true)).toEqual({
    ask: 1600,
    use: 1600,
  });
});

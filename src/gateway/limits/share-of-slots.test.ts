import { expect, test } from 'vitest';
import { shareOf, slotsToClaim } from './share-of-slots.ts';

const idle = { capacity: 8, inflight: 0, waiting: 0 };

test('a gateway that has heard of no other claims all slots, and uses them only when they are granted', () => {
  expect(slotsToClaim(null, idle, true)).toEqual({ ask: 8, use: 8 });
  expect(slotsToClaim({ slots: 3, gateways: 2, hungry: 0 }, idle, true)).toEqual({ ask: 4, use: 3 });
});

test('a busy gateway borrows what others do not need', () => {
  expect(
    slotsToClaim({ slots: 4, gateways: 2, hungry: 0 }, { ...idle, inflight: 4, waiting: 9 }, true).ask,
  ).toBe(8);
});

test('when another is short, a gateway keeps an even share at most, and what it lends stays unused at once', () => {
  const busy = { ...idle, inflight: 8, waiting: 9 };
  expect(slotsToClaim({ slots: 8, gateways: 2, hungry: 3 }, busy, true)).toEqual({ ask: 4, use: 4 });
  expect(slotsToClaim({ slots: 8, gateways: 2, hungry: 3 }, idle, true)).toEqual({ ask: 0, use: 0 });
});

test('of fewer slots than gateways each has its turn', () => {
  const one = { capacity: 1, inflight: 0, waiting: 1 };
  const share = { slots: 0, gateways: 2, hungry: 1 };
  expect(slotsToClaim(share, one, true).ask).toBe(1);
  expect(slotsToClaim(share, one, false).ask).toBe(0);
  expect(slotsToClaim({ ...share, slots: 1 }, { ...one, inflight: 1 }, true)).toEqual({ ask: 0, use: 0 });
});

test('what was granted only since it is in use is not used again', () => {
  expect(shareOf(4, { granted: 6, hungry: 1, gateways: 2 })).toEqual({ slots: 4, hungry: 1, gateways: 2 });
});

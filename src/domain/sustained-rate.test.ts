import { expect, test } from 'vitest';
import { answerAtRate, sustainedRate } from './sustained-rate.ts';

test('the rate that slots keep up is that of Little’s law', () => {
  // 16 requests at once, each 0.2 s and 255 gaps of 65 ms: 16 / 16.775 s.
  expect(sustainedRate({ slots: 16, ttftMs: 200, tpotMs: 65, outputTokens: 256 })).toBeCloseTo(0.9538, 4);
  expect(sustainedRate({ slots: 1, ttftMs: 500, tpotMs: 65, outputTokens: 0 })).toBe(2);
});

test('the length that a rate allows is kept up at that rate, and one token more is not', () => {
  const engine = { slots: 16, ttftMs: 200, tpotMs: 65 };
  const tokens = answerAtRate(engine, 5);
  expect(tokens).toBe(47);
  expect(sustainedRate({ ...engine, outputTokens: tokens })).toBeGreaterThanOrEqual(5);
  expect(sustainedRate({ ...engine, outputTokens: tokens + 1 })).toBeLessThan(5);
  expect(answerAtRate(engine, 100)).toBe(0);
});

import { expect, test } from 'vitest';
import { afterAnswer, afterFailure, healthState, healthy } from './health.ts';
import type { Health } from './health.ts';

const erred = { now: 0, sort: 'erred', mayEject: true, hasCheck: false } as const;

/** Every outcome in turn; a "x" is a reply with 5xx, anything else a good answer. */
function after(outcomes: string, from: Health = healthy): Health {
  return outcomes
    .split('')
    .reduce((health, one) => (one === 'x' ? afterFailure(health, erred) : afterAnswer(health)), from);
}

test('an instance that fails every second request is ejected, with good answers in between', () => {
  expect(healthState(after('x.'.repeat(15)), 0)).toBe('healthy');
  expect(healthState(after('x.'.repeat(16)), 0)).toBe('ejected');
});

test('one that fails every third is not, however long that goes on', () => {
  expect(healthState(after('x..'.repeat(200)), 0)).toBe('healthy');
});

test('failures are forgotten after 32 good answers, and when the probe goes well', () => {
  expect(after(`xxxx${'.'.repeat(32)}`)).toBe(healthy);
  const ejected = after('x.'.repeat(16));
  expect(afterAnswer(ejected)).toBe(ejected);
  expect(afterAnswer({ ...ejected, probing: true })).toBe(healthy);
});

test('a rate of failures ejects nobody beyond the share that may be', () => {
  const spared = 'x.'
    .repeat(100)
    .split('')
    .reduce(
      (health, one) =>
        one === 'x' ? afterFailure(health, { ...erred, mayEject: false }) : afterAnswer(health),
      healthy,
    );
  expect([healthState(spared, 0), spared.away]).toEqual(['healthy', false]);
});

import { expect, test } from 'vitest';
import type { Strategy } from '../../domain/load-shape.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import { steadinessOf } from './steadiness.ts';

const open: Strategy = {
  kind: 'open',
  arrivals: { process: 'constant' },
  rate: [{ from: 10, to: 10, seconds: null }],
  maxInFlight: 9,
};

/** Thirty requests, ten a second; the i-th takes so many milliseconds from when it was due. */
function records(taken: (i: number) => number): RequestRecord[] {
  return Array.from({ length: 30 }, (_, i) => {
    const scheduled = i * 100_000;
    const done = scheduled + taken(i) * 1000;
    return { phase: 'measured', outcome: 'ok', scheduled, last: done, done } as RequestRecord;
  });
}

test('a server that takes the same time all along is steady', () => {
  expect(
    steadinessOf(
      records(() => 300),
      open,
    ),
  ).toMatchObject({ steady: true, e2eMs: [300, 300] });
});

test('a queue that grows is not, though every request was answered', () => {
  const found = steadinessOf(
    records((i) => 100 + 100 * i),
    open,
  );
  expect(found?.steady).toBe(false);
  expect(found?.inFlight[1]).toBeGreaterThan(3 * (found?.inFlight[0] ?? 0));
});

test('of a closed loop the latencies alone tell, and of few requests nothing does', () => {
  const closed = { kind: 'closed', streams: 4 } as const;
  expect(
    steadinessOf(
      records((i) => (i < 15 ? 100 : 190)),
      closed,
    )?.steady,
  ).toBe(true);
  expect(
    steadinessOf(
      records((i) => (i < 15 ? 100 : 250)),
      closed,
    )?.steady,
  ).toBe(false);
  expect(steadinessOf(records(() => 100).slice(0, 9), closed)).toBeNull();
});

import { expect, test } from 'vitest';
import { enough, isLook, none, together, worse, worseSoFar } from './verdict.ts';
import type { Counts } from './verdict.ts';

function counts(good: number, failed = 0, ttftMs: readonly number[] = []): Counts {
  return { good, failed, faults: failed > 0 ? { upstream_reset: failed } : {}, ttftMs: [...ttftMs] };
}

/** Times around a middle, as even as a fast engine's. */
function times(n: number, middle: number): number[] {
  return Array.from({ length: n }, (_, i) => middle * (0.8 + (0.4 * i) / n));
}

test('an engine that fails where the old one does not is worse after eight requests, with the evidence', () => {
  const why = worse({ newer: counts(0, 8), older: counts(100) });
  expect(why).toBe(
    '8 of 8 requests failed at the new one (upstream_reset 8), 0 of 100 at the old one (p = 2.8e-12)',
  );
  expect(worse({ newer: counts(6, 2), older: counts(400) })).toMatch(/^2 of 8 /);
});

test('one failure in a few, failures of both alike, and fewer than at the old one are no reason to go back', () => {
  expect(worse({ newer: counts(29, 1), older: counts(100) })).toBeNull();
  expect(worse({ newer: counts(20, 10), older: counts(200, 100) })).toBeNull();
  expect(worse({ newer: counts(30), older: counts(100, 50) })).toBeNull();
  expect(worse({ newer: counts(0, 5), older: counts(0) })).toBeNull();
});

test('a first token that comes much later is worse, in the middle or at the far end', () => {
  const older = counts(200, 0, times(200, 20));
  expect(worse({ newer: counts(20, 0, times(20, 500)), older })).toMatch(
    /^the p50 of TTFT is 4\d\d ms or more/,
  );
  const tail = [...times(20, 20), ...times(10, 900)];
  expect(worse({ newer: counts(30, 0, tail), older })).toMatch(/^the p90 of TTFT is /);
});

test('a first token that comes somewhat later, or that few say comes later, is not', () => {
  const older = counts(200, 0, times(200, 20));
  expect(worse({ newer: counts(30, 0, times(30, 60)), older })).toBeNull();
  expect(worse({ newer: counts(3, 0, times(3, 900)), older })).toBeNull();
  expect(worse({ newer: counts(30, 0, times(30, 900)), older: counts(5, 0, times(5, 20)) })).toBeNull();
  expect(worse({ newer: counts(30), older })).toBeNull();
});

test('it is looked at when the requests have doubled, not at every moment', () => {
  function looksAt(of: (n: number) => Counts): number[] {
    const looks: number[] = [];
    for (let now = 1; now <= enough; now += 1) {
      const at = looks.at(-1);
      if (isLook(of(now), at === undefined ? none : of(at))) looks.push(now);
    }
    return looks;
  }
  expect(looksAt((n) => counts(n))).toEqual([8, 16, 30]);
  expect(looksAt((n) => counts(0, n))).toEqual([3, 6, 12, 24, 30]);
});

test('counts of several steps add up, fault by fault', () => {
  expect(together([counts(1, 2, [3]), counts(4, 1, [5])])).toEqual({
    good: 5,
    failed: 3,
    faults: { upstream_reset: 3 },
    ttftMs: [3, 5],
  });
});

test('with all requests at the new one it is held against the time before and the latest step, and worse beside both alone', () => {
  const calm = counts(60, 0, times(60, 20));
  const busy = counts(60, 0, times(60, 400));
  const late = { newer: counts(30, 0, times(30, 500)), older: none };
  expect(worseSoFar(late, [calm, calm])).toMatch(/^the p50 of TTFT is /);
  // The machine has become slower for both, or the old one has half of the load.
  expect(worseSoFar(late, [calm, busy])).toBeNull();
  expect(worseSoFar(late, [busy, calm])).toBeNull();
  // Of a step with too few the one before it counts.
  expect(worseSoFar(late, [calm, busy, counts(3, 0, times(3, 20))])).toBeNull();
  // One that has too few has no say.
  expect(worseSoFar(late, [none, calm])).toMatch(/^the p50 of TTFT is /);
  expect(worseSoFar(late, [counts(9, 0, times(9, 20)), busy])).toBeNull();
  // While both serve, their own step decides.
  expect(worseSoFar({ ...late, older: calm }, [busy, busy])).toMatch(/^the p50 of TTFT is /);
});

test('failures of the old one count from the beginning on', () => {
  const failing = { newer: counts(20, 10), older: none };
  expect(worseSoFar(failing, [counts(40, 20), counts(40, 20)])).toBeNull();
  expect(worseSoFar(failing, [counts(200), counts(200)])).toMatch(/^10 of 30 /);
});

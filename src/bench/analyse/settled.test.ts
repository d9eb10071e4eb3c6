import { expect, test } from 'vitest';
import type { RequestRecord } from '../../domain/run/record.ts';
import { settledPart } from './settled.ts';

/** One request whose token events come at these moments, in µs. */
function answered(times: readonly number[]): RequestRecord {
  const gaps = times.slice(1).map((at, i) => at - (times[i] as number));
  const [firstToken] = times;
  return {
    outcome: 'ok',
    phase: 'measured',
    firstToken,
    last: times.at(-1),
    gaps,
    events: times.length,
    done: times.at(-1),
    output: { asked: null, tokens: times.length, source: 'usage' },
    prompt: { asked: null, tokens: 1, source: 'usage' },
  } as unknown as RequestRecord;
}

function moments(gapAt: (at: number) => number): number[] {
  const times: number[] = [];
  for (let at = 5_000; at < 10_000_000; at += gapAt(at)) times.push(Math.round(at));
  return times;
}

const window = { start: 0, end: 10_000_000 };

test('a slow beginning is cut off, and the rate is that of the rest', () => {
  const found = settledPart([answered(moments((at) => (at < 2_000_000 ? 20_000 : 5_000)))], window);
  expect(found?.cutSeconds).toBeCloseTo(2, 0);
  expect(found?.outputTokensPerSecond).toBeCloseTo(200, 0);
});

test('an even rate loses next to nothing, one that rises to the end has no steady part, a few events tell nothing', () => {
  const even = settledPart([answered(moments(() => 5_000))], window);
  expect(even?.cutSeconds).toBeLessThan(0.5);
  expect(even?.outputTokensPerSecond).toBeCloseTo(200, 0);
  expect(settledPart([answered(moments((at) => 30_000 / (1 + at / 1e6)))], window)).toEqual({
    found: false,
    cutSeconds: null,
    cutShare: null,
    outputTokensPerSecond: null,
  });
  expect(settledPart([answered(moments(() => 50_000))], window)).toBeNull();
});

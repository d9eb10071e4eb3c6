import { expect, test } from 'vitest';
import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import { stageSeries } from './stage-series.ts';

const closed: Strategy = { kind: 'closed', streams: 2 };
const open: Strategy = {
  kind: 'open',
  arrivals: { process: 'constant' },
  rate: [{ from: 1, to: 1, seconds: null }],
  maxInFlight: 9,
};

/** A request of four tokens, the first 200 ms after it was sent, then one each 100 ms; it was due 50 ms before. */
function answered(sent: number, more: Partial<RecordRow> = {}): RecordRow {
  return {
    phase: 'measured',
    outcome: 'ok',
    scheduled: sent - 50_000,
    sent,
    firstToken: sent + 200_000,
    last: sent + 500_000,
    done: sent + 500_000,
    gaps: [100_000, 100_000, 100_000],
    events: 4,
    output: { asked: null, tokens: 8, source: 'usage' },
    ...more,
  } as unknown as RecordRow;
}

/** One after the other for four seconds; in the last two there is a second stream. */
const records = Array.from({ length: 8 }, (_, i) => answered(i * 500_000));
const later = Array.from({ length: 4 }, (_, i) => answered(2_000_000 + i * 500_000));

test('each part of a stage has what came in it, and nothing is counted twice or lost', () => {
  const series = stageSeries([...records, ...later], closed);
  expect(series?.every).toBe(1);
  expect(series?.points.map(({ at }) => at)).toEqual([0.5, 1.5, 2.5, 3.5]);
  expect(series?.points.map(({ inFlight }) => Math.round(inFlight * 1000) / 1000)).toEqual([1, 1, 2, 2]);
  expect(series?.points.map(({ ttftP50Ms, itlP99Ms }) => [ttftP50Ms, itlP99Ms])).toEqual(
    Array(4).fill([200, 100]),
  );
  // An answer that ends as a part does counts to the next one; two tokens an event.
  const tokens = series?.points.reduce((sum, point) => sum + (point.outputTokensPerSecond ?? 0), 0);
  expect(tokens).toBe(12 * 8);
  expect(series?.points.reduce((sum, point) => sum + point.requestsPerSecond, 0)).toBe(12);
});

test('of an open loop the TTFT counts from when a request was due, and failures are counted where they ended', () => {
  const failed = answered(900_000, { outcome: 'timeout', firstToken: null, gaps: [], done: 3_600_000 });
  const series = stageSeries([...records, failed], open);
  expect(series?.points.map(({ ttftP50Ms }) => ttftP50Ms)).toEqual([250, 250, 250, 250]);
  expect(series?.points.map((point) => point.failed)).toEqual([0, 0, 0, 1]);
});

test('what makes no tokens has none a second, a part without a token has no latency, and no requests are no series', () => {
  const texts = records.map((record) => ({
    ...record,
    firstToken: null,
    last: null,
    gaps: [],
    events: 0,
    output: { asked: null, tokens: null, source: null },
  }));
  expect(stageSeries(texts, closed)?.points[0]).toMatchObject({
    outputTokensPerSecond: null,
    ttftP50Ms: null,
    itlP50Ms: null,
  });
  expect(stageSeries([], closed)).toBeNull();
});

test('of very many requests each n-th is looked at, and rates are those of all', () => {
  const many = Array.from({ length: 30_000 }, (_, i) => answered(i * 200));
  const series = stageSeries(many, closed);
  expect(series?.every).toBe(3);
  const [first] = series?.points ?? [];
  const answersPerSecond = series?.points.reduce((sum, point) => sum + point.requestsPerSecond, 0);
  const width = 2 * ((first?.at ?? 0) - 0);
  expect((answersPerSecond ?? 0) * width).toBeCloseTo(30_000, -2);
  expect(Math.max(...(series?.points ?? []).map(({ inFlight }) => inFlight))).toBeGreaterThan(2000);
});

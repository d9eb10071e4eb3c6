import { expect, test } from 'vitest';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { Strategy } from '../../domain/load-shape.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import { clientHealth } from './client-health.ts';
import { compareCounters } from './engine-counters.ts';
import { latenciesOf, stallsOf } from './latencies.ts';
import { speedup } from './scaling.ts';
import { overallThroughput, steadyThroughput } from './throughput.ts';
import { steadyWindow, wholeSpan } from './window.ts';

/** A good request of `tokens` one-token events: sent at once, first token after 10 ms, then one each 10 ms. */
function request(start: number, tokens: number, changes: Partial<RequestRecord> = {}): RequestRecord {
  const sent = start + 100;
  const firstToken = sent + 10_000;
  const last = firstToken + (tokens - 1) * 10_000;
  return {
    schema: runSchema,
    id: 0,
    stage: 0,
    phase: 'measured',
    stream: 0,
    scheduled: start,
    started: start,
    connected: start + 50,
    sent,
    headers: sent + 500,
    responseId: null,
    firstByte: sent + 600,
    firstToken,
    firstContent: firstToken,
    last,
    done: last + 100,
    gaps: Array.from({ length: tokens - 1 }, () => 10_000),
    events: tokens,
    status: 200,
    outcome: 'ok',
    error: null,
    finish: 'length',
    prompt: { asked: 8, tokens: 8, source: 'usage' },
    output: { asked: tokens, tokens, source: 'usage' },
    cached: null,
    server: null,
    text: null,
    ...changes,
  };
}

test('the seed benchmark scales by 1.34 with 67 % efficiency; its 128 % is wall time over unequal answers', () => {
  // One request of 80 tokens in 17.35 s alone; two side by side, 67 and 100 tokens, in 27.09 s.
  const single = 80 / 17.35;
  const pair = (67 + 100) / 27.09;
  const byTokens = speedup(pair, single, 2);
  expect(byTokens.speedup).toBeCloseTo(1.337, 3);
  expect(byTokens.efficiency).toBeCloseTo(0.668, 3);
  const byWallTime = (2 * 17.35) / 27.09;
  expect(byWallTime).toBeCloseTo(1.281, 3);
});

function streams(count: number): Strategy {
  return { kind: 'closed', streams: count };
}

test('the steady window begins when all streams are busy and ends when the first has nothing left', () => {
  const records = [
    request(0, 10, { stream: 0, phase: 'warmup' }),
    request(5000, 10, { stream: 1, phase: 'warmup' }),
    request(200_000, 10, { stream: 0 }),
    request(210_000, 20, { stream: 1 }),
  ];
  expect(steadyWindow(records, { strategy: streams(2), seconds: null })).toEqual({
    start: 200_000,
    end: 300_200,
  });
  expect(steadyWindow(records, { strategy: streams(3), seconds: null })).toBeNull();
  expect(wholeSpan(records)).toEqual({ start: 200_100, end: 410_200 });
});

test('a limit in seconds ends the steady window, though requests go on in the drain', () => {
  const records = [request(0, 50, { stream: 0 }), request(0, 50, { stream: 1 })];
  expect(steadyWindow(records, { strategy: streams(2), seconds: 0.2 })).toEqual({ start: 100, end: 200_000 });
});

test('tokens count where their event falls, also those of a warm-up request that is still running', () => {
  const records = [
    request(0, 10, { phase: 'warmup', stream: 1 }),
    request(50_000, 10, { stream: 0 }),
    request(110_000, 10, { stream: 1 }),
  ];
  const window = { start: 50_000, end: 150_200 };
  const rate = steadyThroughput(records, window);
  // Warm-up: events at 10.1, 20.1 … 100.1 ms, six after 50 ms. Then ten, then those at 120.1, 130.1, 140.1, 150.1.
  expect(rate.outputTokensPerSecond).toBeCloseTo((6 + 10 + 4) / 0.1002, 6);
  expect(rate.promptTokensPerSecond).toBeCloseTo(16 / 0.1002, 6);
  expect(rate.requestsPerSecond).toBeCloseTo(2 / 0.1002, 6);
});

test('an event of four tokens counts for four; a request that we cut counts with the mean of the others', () => {
  const four = request(0, 5, { output: { asked: 20, tokens: 20, source: 'usage' } });
  const cut = request(0, 5, {
    stream: 1,
    outcome: 'censored',
    output: { asked: 20, tokens: 5, source: 'events' },
  });
  const rate = steadyThroughput([four, cut], { start: 0, end: 1_000_000 });
  expect(rate.outputTokensPerSecond).toBe(40);
});

test('a request that failed is no throughput and no latency', () => {
  const records = [request(0, 10), request(0, 10, { outcome: 'reset' })];
  expect(overallThroughput(records, { start: 0, end: 1_000_000 })?.outputTokensPerSecond).toBe(10);
  expect([...latenciesOf(records).ttft]).toEqual([10]);
});

test('without counts by the server there is no rate, not a rate of 0', () => {
  const records = [request(0, 10, { prompt: { asked: null, tokens: null, source: null } })];
  expect(overallThroughput(records, { start: 0, end: 1_000_000 })).toMatchObject({
    promptTokensPerSecond: null,
    totalTokensPerSecond: null,
  });
});

test('a whole answer without a count leaves the steady rate unknown too', () => {
  const uncounted = { asked: 10, tokens: null, source: null };
  const whole = { firstToken: null, firstContent: null, last: null, gaps: [], events: 0 };
  const records = [request(0, 10, { ...whole, output: uncounted }), request(0, 10)];
  expect(steadyThroughput(records, { start: 0, end: 1_000_000 })).toMatchObject({
    outputTokensPerSecond: null,
    totalTokensPerSecond: null,
    requestsPerSecond: 2,
  });
});

test('an answer that is not streamed has E2E alone', () => {
  const whole = request(0, 10, { firstToken: null, firstContent: null, last: null, gaps: [], events: 0 });
  const found = latenciesOf([whole]);
  for (const name of ['ttft', 'itl', 'tpot'] as const) expect(found[name]).toHaveLength(0);
  expect([...found.e2e]).toEqual([100.1]);
});

test('TPOT divides by tokens, the mean gap by events, and a gap is never divided', () => {
  const found = latenciesOf([request(0, 5, { output: { asked: 20, tokens: 21, source: 'usage' } })]);
  expect([...found.tpot]).toEqual([2]);
  expect([...found.itlMeanPerRequest]).toEqual([10]);
  expect([...found.itl]).toEqual([10, 10, 10, 10]);
});

test('a stall is a gap over five times the median and over 250 ms', () => {
  expect(stallsOf([10, 10, 260, 240], 10)).toEqual({ count: 1, thresholdMs: 250 });
  expect(stallsOf([100, 100, 450, 520], 100)).toEqual({ count: 1, thresholdMs: 500 });
});

test('a client that sends late, stalls or burns its core says so', () => {
  const calm = { loopDelayP99Ms: 1, cpuShare: 0.1 };
  const late = Array.from({ length: 5 }, () =>
    request(0, 2, { started: 30_000, connected: 30_050, sent: 30_100 }),
  );
  expect(clientHealth([request(0, 2)], calm, 10)).toMatchObject({ limited: false, lagP99Ms: 0.05 });
  expect(clientHealth(late, calm, 10).limited).toBe(true);
  expect(clientHealth(late, calm, 10_000).limited).toBe(false);
  expect(clientHealth([], { loopDelayP99Ms: 30, cpuShare: 0.1 }, 10).limited).toBe(true);
  expect(clientHealth([], { loopDelayP99Ms: null, cpuShare: 0.9 }, 10).limited).toBe(true);
});

test('the time that connecting takes is not the fault of the client', () => {
  const far = Array.from({ length: 5 }, () => request(0, 2, { connected: 80_000, sent: 80_100 }));
  expect(clientHealth(far, { loopDelayP99Ms: 1, cpuShare: 0.1 }, 10).limited).toBe(false);
});

test("the engine's counters are held against the records, unless a request ended otherwise", () => {
  const before = { promptTokens: 100, outputTokens: 50, requests: null, withoutCached: true };
  const after = { promptTokens: 112, outputTokens: 70, requests: null, withoutCached: true };
  const records = [request(0, 10, { cached: 4 }), request(0, 10)];
  expect(compareCounters(before, after, records)).toMatchObject({
    promptTokens: 12,
    countedPromptTokens: 12,
    outputTokens: 20,
    countedOutputTokens: 20,
    agrees: true,
  });
  expect(compareCounters(before, { ...after, outputTokens: 71 }, records).agrees).toBe(false);
  expect(compareCounters(before, after, [...records, request(0, 3, { outcome: 'reset' })]).agrees).toBeNull();
});

test('starts that fall behind their schedule make the client the limit', () => {
  const load = { loopDelayP99Ms: null, cpuShare: null };
  function reasonsOf(stretch: number): readonly string[] {
    const records = Array.from({ length: 200 }, (_, i) => {
      const started = Math.round(i * 10_000 * stretch);
      return request(started, 3, { scheduled: i * 10_000, started, connected: started, sent: started });
    });
    // A first token this late allows for a large lag.
    return clientHealth(records, load, 60_000).reasons;
  }
  expect(reasonsOf(1.01)).toEqual([]);
  expect(reasonsOf(1.05)).toEqual(['requests started at 95 % of the rate that was asked for (limit 98 %)']);
});

test.each([
  [90, 10_000, false],
  [-150, 10_000, true],
  [150, 10_000, true],
  [900, 200_000, false],
  [1100, 200_000, true],
])('clocks that came %i ms apart in %i ms limit a run: %s', (clockDriftMs, elapsedMs, limited) => {
  const health = clientHealth([], { loopDelayP99Ms: 1, cpuShare: 0.1, clockDriftMs, elapsedMs }, 10);
  expect(health).toMatchObject({ limited, clockDriftMs });
  expect(health.reasons.join('')).toMatch(limited ? /the machine slept, or a clock was set/ : /^$/);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordsOf, selftest } from '../../../src/bench/selftest/selftest.ts';
import { selftestCases } from '../../../src/bench/selftest/selftest-cases.ts';
import { loopCases } from '../../../src/bench/selftest/selftest-loops.ts';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { localWorld } from '../../../src/io/local-world.ts';

let truth: TruthServer;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(() => truth.close(0));

test('the selftest counts every token and tells every fault from the others', async () => {
  const result = await selftest(localWorld());
  expect(result.cases.flatMap((each) => each.faults.map((fault) => `${each.name}: ${fault}`))).toEqual([]);
  expect(result.passed).toBe(true);
  expect(result.cases).toHaveLength(selftestCases.length + loopCases.length);
  const stamped = result.cases.flatMap(({ stamps }) => (stamps ? [stamps] : []));
  expect(stamped.map(({ n, early }) => ({ n, early }))).toEqual(Array(3).fill({ n: 160, early: 0 }));
  // The one with jitter has no lateness of its own to be held against.
  expect(stamped.filter(({ lateP50Ms }) => lateP50Ms !== null)).toHaveLength(2);
}, 120_000);

test('latencies are never shorter than the server makes them', async () => {
  const records = await recordsOf(truth.url, {
    name: 'floor',
    truth: { ttftMs: 60, itlMs: 15, tokens: 8 },
    requests: 4,
    streams: 2,
    stream: true,
    timeoutMs: 20_000,
    expect: { outcomes: { ok: 4 }, outputTokens: 8, events: 8, stalls: null },
  });
  for (const record of records) {
    // The server counts from when it has read the request, which may be before the client is told that it is sent.
    expect((record.firstToken as number) - (record.sent as number)).toBeGreaterThan(50_000);
    expect((record.last as number) - (record.sent as number)).toBeGreaterThan(60_000 + 7 * 15_000 - 10_000);
    expect(record.firstToken as number).toBeGreaterThan(record.headers as number);
  }
});

test('a server with two slots serves four streams two at a time', async () => {
  const records = await recordsOf(truth.url, {
    name: 'slots',
    truth: { ttftMs: 100, itlMs: 10, tokens: 11, slots: 2, roleFirst: false },
    requests: 8,
    streams: 4,
    stream: true,
    timeoutMs: 20_000,
    expect: { outcomes: { ok: 8 }, outputTokens: 11, events: 11, stalls: null },
  });
  // Service takes 200 ms: eight requests in two slots take four rounds, so the rate is at most c/s = 10 a second.
  const span =
    Math.max(...records.map((each) => each.done)) - Math.min(...records.map((each) => each.sent as number));
  expect(span).toBeGreaterThan(4 * 200_000 - 20_000);
  const waited = records.filter((each) => (each.firstToken as number) - (each.sent as number) > 250_000);
  expect(waited.length).toBeGreaterThanOrEqual(4);
});

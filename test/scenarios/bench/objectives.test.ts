import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { RequestRecord } from '../../../src/domain/run/record.ts';
import { Report } from '../../../src/domain/run/report.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(() => truth.close(0));
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

async function bench(
  model: object,
  ...args: string[]
): Promise<{ code: number | null; report: Report; records: RequestRecord[] }> {
  const ran = await place.berth(
    'bench',
    truth.url,
    '--model',
    JSON.stringify({ ttftMs: 5, itlMs: 1, ...model }),
    '--output-tokens',
    '4',
    '--prompt-tokens',
    '10',
    '--warmup',
    '0',
    '--no-calibrate',
    '--json',
    ...args,
  );
  const [run] = (ran.json() as { runs: { folder: string; report: unknown }[] }).runs;
  const lines = readFileSync(join(run?.folder ?? '', 'records.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const records = lines.map((line) => RequestRecord.parse(JSON.parse(line)));
  return { code: ran.code, report: Report.parse(run?.report), records };
}

test('goodput is the share of requests that kept every objective, worked out again from the records', async () => {
  const { report, records } = await bench(
    { stall: { every: 4, ms: 600 } },
    '--max-requests',
    '16',
    '--slo',
    'ttft:10000 tpot:10000 e2el:500',
  );
  const kept = records.filter(
    (one) => one.outcome === 'ok' && one.last !== null && one.sent !== null && one.last - one.sent <= 500_000,
  );
  expect(kept.length).toBeLessThan(16);
  expect(report.stages[0]?.goodput).toMatchObject({ good: kept.length, share: kept.length / 16 });
});

test('a missed threshold is exit code 3, kept ones are 0; a figure that is not there is missed', async () => {
  const kept = await bench({}, '--max-requests', '5', '--threshold', 'ttft.p50 < 60000', 'error_rate <= 0');
  expect(kept.report.gates.map((gate) => gate.passed)).toEqual([true, true]);
  const missed = await bench({}, '--max-requests', '5', '--threshold', 'ttft.p50 < 1', 'goodput > 0.5');
  expect(missed.report.gates).toMatchObject([{ passed: false }, { passed: false, value: null }]);
  // A client that was too busy is told before anything else: no gate passes or fails on its figures.
  expect([0, 5]).toContain(kept.code);
  expect([3, 5]).toContain(missed.code);
});

test('a run ends by its limit on errors, and keeps what it measured', async () => {
  const { report, records } = await bench(
    { fault: { every: 3, kind: 'server-error' } },
    '--max-requests',
    '500',
    '--max-errors',
    '4',
  );
  expect(records.length).toBeLessThan(40);
  expect(report.stages[0]?.requests.failed).toBeGreaterThan(4);
  expect(report.stages[0]?.requests.ok).toBeGreaterThan(4);
  const byRate = await bench(
    { fault: { every: 2, kind: 'server-error' } },
    '--max-requests',
    '500',
    '--max-error-rate',
    '0.2',
  );
  expect(byRate.records.length).toBeGreaterThanOrEqual(20);
  expect(byRate.records.length).toBeLessThan(60);
});

test('a threshold or an objective that makes no sense is refused before anything is sent', async () => {
  for (const args of [
    ['--threshold', 'ttft.p42 < 5'],
    ['--threshold', 'latency'],
    ['--slo', 'itl=5'],
    ['--slo', 'ttft=fast'],
    ['--max-errors', 'none'],
  ]) {
    const ran = await place.berth('bench', truth.url, ...args);
    expect(ran.code, args.join(' ')).toBe(2);
    expect(ran.stderr).toContain(args[0]);
  }
});

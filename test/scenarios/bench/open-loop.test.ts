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

const quick = ['--output-tokens', '4', '--prompt-tokens', '10', '--no-calibrate', '--json'] as const;

async function bench(
  model: object,
  ...args: string[]
): Promise<{ report: Report; records: RequestRecord[]; code: number | null }> {
  const ran = await place.berth('bench', truth.url, '--model', JSON.stringify(model), ...quick, ...args);
  const [run] = (ran.json() as { runs: { folder: string }[] }).runs;
  const folder = run?.folder ?? '';
  const report = Report.parse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')));
  const lines = readFileSync(join(folder, 'records.jsonl'), 'utf8').trim().split('\n');
  return { report, records: lines.map((line) => RequestRecord.parse(JSON.parse(line))), code: ran.code };
}

test('a constant rate is kept to the microsecond in the schedule, whatever the server does', async () => {
  const { report, records } = await bench(
    { ttftMs: 5, itlMs: 1 },
    '--profile',
    'constant',
    '--rate',
    '50,100',
    '--max-requests',
    '40',
    '--warmup',
    '5',
  );
  expect(report.stages.map((stage) => stage.label)).toEqual(['50 req/s', '100 req/s']);
  for (const [index, gap] of [20_000, 10_000].entries()) {
    const due = records.filter((one) => one.stage === index).map((one) => one.scheduled);
    due.sort((a, b) => a - b);
    expect(due).toHaveLength(45);
    for (const [i, at] of due.slice(1).entries())
      expect(Math.abs(at - (due[i] as number) - gap)).toBeLessThan(2);
    expect(report.stages[index]?.openLoop).toMatchObject({ dropped: 0 });
    expect(report.stages[index]?.openLoop?.scheduledPerSecond).toBeCloseTo(1e6 / gap, 2);
    expect(report.stages[index]?.requests).toMatchObject({ warmup: 5, measured: 40, ok: 40 });
  }
  expect(report.scaling).toEqual([]);
});

test('a server that is too slow does not slow the schedule: starts over the cap are dropped and counted', async () => {
  const { report, records } = await bench(
    { ttftMs: 40, itlMs: 1, slots: 1 },
    '--profile',
    'kind=constant,rate=100,maxInFlight=4',
    '--max-requests',
    '60',
    '--warmup',
    '0',
  );
  const [stage] = report.stages;
  const dropped = stage?.openLoop?.dropped ?? 0;
  expect(dropped).toBeGreaterThan(0);
  expect(records.length + dropped).toBe(60);
  expect(report.warnings.join(' ')).toContain('dropped');
  // What is dropped moves nothing: every start that was made lies on the grid of the schedule.
  const first = Math.min(...records.map((one) => one.scheduled));
  for (const one of records) expect((one.scheduled - first + 2) % 10_000).toBeLessThan(5);
  expect(stage?.ttftScheduled?.n).toBe(stage?.ttft?.n);
});

test('the same seed starts the same requests at the same times of a Poisson run', async () => {
  const starts: number[][] = [];
  for (let run = 0; run < 2; run += 1) {
    const { records } = await bench(
      { ttftMs: 1, itlMs: 0 },
      '--rate',
      '200',
      '--max-requests',
      '30',
      '--seed',
      '9',
    );
    const due = records.map((one) => one.scheduled).toSorted((a, b) => a - b);
    starts.push(due.map((at) => at - (due[0] as number)));
  }
  const [a = [], b = []] = starts;
  expect(a).toHaveLength(31);
  for (const [i, at] of a.entries()) expect(Math.abs(at - (b[i] as number))).toBeLessThanOrEqual(2);
});

test('a server that goes away ends an open loop too', async () => {
  const ran = await place.berth(
    'bench',
    'http://127.0.0.1:9',
    '--model',
    'none',
    '--rate',
    '50',
    '--max-seconds',
    '300',
    ...quick,
  );
  expect(ran.code).toBe(6);
});

test('a profile that is none is refused before anything is sent', async () => {
  for (const profile of ['kind=poisson,rates=[', 'nonsense', 'kind=gamma,rates=[1]', 'rates=[1]']) {
    const ran = await place.berth('bench', truth.url, '--profile', profile);
    expect(ran.code, profile).toBe(2);
  }
  const both = await place.berth('bench', truth.url, '--streams', '2', '--rate', '5');
  expect(both.stderr).toContain('--streams is a profile of its own');
});

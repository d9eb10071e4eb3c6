import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { RequestRecord } from '../../../src/domain/run/record.ts';
import { bench } from '../../support/bench.ts';
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

function run(model: object, ...args: string[]): ReturnType<typeof bench> {
  const said = ['--model', JSON.stringify(model), '--prompt-tokens', '10', '--output-tokens', '4'];
  return bench(place, [truth.url, ...said, ...args]);
}

function ofStage(records: readonly RequestRecord[], stage: number): RequestRecord[] {
  return records.filter((record) => record.stage === stage).toSorted((a, b) => a.scheduled - b.scheduled);
}

test('a stage begins with the slots of the one before, each as its last request ends', async () => {
  // Every seventh answer takes ten times as long, so that some are under way at every step.
  const model = { ttftMs: 30, itlMs: 5, slow: { every: 7, ms: 300 } };
  const { report, records } = await run(model, '--streams', '3,6,2', '--max-seconds', '1.5');
  expect(report.stages.map(({ label }) => label)).toEqual(['3 streams', '6 streams', '2 streams']);
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
  const stages = [0, 1, 2].map((index) => ofStage(records, index));
  for (const [earlier = [], later = []] of [stages.slice(0, 2), stages.slice(1)]) {
    const lastSent = Math.max(...earlier.map(({ scheduled }) => scheduled));
    const lastDone = Math.max(...earlier.map(({ done }) => done));
    // Nothing of the earlier stage is sent after the first of the later one, and some of it is still under way then.
    expect(later[0]?.scheduled).toBeGreaterThanOrEqual(lastSent);
    expect(later[0]?.scheduled).toBeLessThan(lastDone);
    // A slot that is passed on sends when its last request has ended and not before.
    for (const stream of new Set(earlier.map((record) => record.stream))) {
      const ended = Math.max(...earlier.filter((one) => one.stream === stream).map(({ done }) => done));
      const next = later.find((one) => one.stream === stream)?.scheduled ?? ended;
      expect(next).toBeGreaterThanOrEqual(ended);
    }
  }
  for (const [index, streams] of [3, 6, 2].entries()) {
    expect(new Set(stages[index]?.map(({ stream }) => stream)).size).toBe(streams);
    expect(report.stages[index]?.requests.warmup).toBeGreaterThanOrEqual(streams);
    expect(report.stages[index]?.window).not.toBeNull();
    expect(report.stages[index]?.stopped).toBeNull();
  }
});

test('the counters of the engine are held against all stages that were joined, at the last of them', async () => {
  const { report } = await run({ ttftMs: 5, itlMs: 1 }, '--streams', '1,2,4', '--max-requests', '12');
  expect(report.stages.map(({ engine }) => engine?.stages ?? null)).toEqual([null, null, 3]);
  expect(report.stages.slice(0, 2).map(({ engine }) => engine)).toEqual([null, null]);
  expect(report.stages[2]?.engine?.agrees).toBe(true);
  expect(report.stages.map(({ requests }) => requests.measured)).toEqual([12, 12, 12]);
});

test('a stage that ends by a fault passes nothing on', async () => {
  const model = { ttftMs: 5, itlMs: 1, fault: { every: 2, kind: 'server-error' } };
  const load = ['--streams', '2,4', '--max-requests', '40', '--max-errors', '5'];
  const said = ['--model', JSON.stringify(model), '--prompt-tokens', '10', '--output-tokens', '4'];
  const { report } = await bench(place, [truth.url, ...said, ...load], [3]);
  expect(report.stages.map(({ stopped }) => stopped)).toEqual(['errors']);
});

test('streams begin one after the other where a ramp is asked for, and nothing before its end is measured', async () => {
  const { records } = await run(
    { ttftMs: 5, itlMs: 1 },
    '--profile',
    'kind=concurrent,streams=[4],rampup_duration=0.8',
    '--max-requests',
    '40',
  );
  const begun = [0, 1, 2, 3].map((stream) =>
    Math.min(...records.filter((record) => record.stream === stream).map(({ scheduled }) => scheduled)),
  );
  for (const [i, at] of begun.entries())
    expect(at - (begun[0] as number)).toBeGreaterThan(i * 200_000 - 20_000);
  const measured = records.filter(({ phase }) => phase === 'measured').map(({ scheduled }) => scheduled);
  expect(Math.min(...measured) - (begun[0] as number)).toBeGreaterThan(780_000);
});

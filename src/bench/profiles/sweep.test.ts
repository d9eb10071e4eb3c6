import { expect, test } from 'vitest';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { sweep } from './sweep.ts';

const options = sweep.options.parse({ kind: 'sweep', keep: ['ttft.p95 < 100'], points: 4 });

/** A stage of a server whose TTFT is 50 ms up to a rate of 13.7 and 500 above. */
function stage(index: number, level: number, over: 'rate' | 'streams', changes: object = {}): StageReport {
  const p95 = level <= 13.7 ? 50 : 500;
  const strategy =
    over === 'streams'
      ? { kind: 'closed', streams: level }
      : {
          kind: 'open',
          arrivals: { process: 'constant' },
          rate: [{ from: level, to: level, seconds: null }],
        };
  return {
    index,
    label: `${level}`,
    strategy,
    ttft: { p95 },
    ttftScheduled: { p95 },
    requests: { measured: 100, failed: 0 },
    openLoop: { dropped: 0 },
    ...changes,
  } as never;
}

function levelsOf(more: object, changes: (level: number) => object = () => ({})): number[] {
  const all = { ...options, ...more };
  const done: StageReport[] = [];
  for (let next = sweep.next(all, done); next !== null && done.length < 60; next = sweep.next(all, done)) {
    const level = next.kind === 'closed' ? next.streams : (next.rate[0]?.to as number);
    done.push(stage(done.length, level, all.over, changes(level)));
  }
  return done.map(({ label }) => Number(label));
}

test('the rate doubles until a stage misses, then both sides close in on the knee, then come points near it', () => {
  const search = [1, 2, 4, 8, 16, 11.3, 13.4, 14.6, 14];
  expect(levelsOf({})).toEqual([...search, 7.63, 9.89, 12.8, 16.6]);
});

test('streams are whole numbers, and one apart is as close as they come', () => {
  expect(levelsOf({ over: 'streams', points: 0 })).toEqual([1, 2, 4, 8, 16, 11, 13, 14]);
});

test('where the first load misses already, lower ones are tried, down to one stream', () => {
  expect(levelsOf({ from: 100, points: 0 }).slice(0, 4)).toEqual([100, 50, 25, 12.5]);
  expect(levelsOf({ over: 'streams', from: 4 }, () => ({ requests: { measured: 9, failed: 9 } }))).toEqual([
    4, 2, 1,
  ]);
});

test('a stage that drops starts, fails or does not become steady does not keep, whatever its latencies', () => {
  const unsteady = { steadiness: { steady: false, inFlight: [1, 9], e2eMs: [50, 99] } };
  for (const fault of [unsteady, { openLoop: { dropped: 3 } }, { requests: { measured: 100, failed: 2 } }]) {
    const done = [1, 2, 4].map((level, i) => stage(i, level, 'rate', level === 4 ? fault : {}));
    const knee = sweep.conclude?.(options, done);
    expect(knee).toMatchObject({ level: 2, stage: 1, missedAt: 4 });
    expect(knee?.levels[2]?.reasons).toHaveLength(1);
  }
});

test('a load that keeps above one that misses is chance and is not the knee', () => {
  const done = [1, 16, 8, 20].map((level, i) =>
    stage(i, level, 'rate', level === 20 ? { ttftScheduled: { p95: 9 } } : {}),
  );
  expect(sweep.conclude?.(options, done)).toMatchObject({ level: 8, missedAt: 16 });
});

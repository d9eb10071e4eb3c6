import { expect, test } from 'vitest';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { sweep } from './sweep.ts';

const options = sweep.options.parse({ kind: 'sweep', keep: ['ttft.p95 < 100'], points: 4 });

/** A p95 with an interval of so much to both sides. */
function about(p95: number, share = 0.1): object {
  return { p95, interval: { p95: [p95 * (1 - share), p95 * (1 + share)] } };
}

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
    ttft: about(p95),
    ttftScheduled: about(p95),
    requests: { measured: 100, failed: 0 },
    openLoop: { dropped: 0 },
    client: { limited: false, reasons: [] },
    stopped: null,
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
    stage(i, level, 'rate', level === 20 ? { ttftScheduled: about(9) } : {}),
  );
  expect(sweep.conclude?.(options, done)).toMatchObject({ level: 8, missedAt: 16 });
});

test('a load whose interval reaches over the objective is tried again, and then both stages decide together', () => {
  // At 8 p95 is 90 ms, give or take a fifth; of two stages together it is surer, and of one surely good there is no doubt.
  const wide = levelsOf({ points: 0 }, (level) => (level === 8 ? { ttftScheduled: about(90, 0.2) } : {}));
  expect(wide.filter((level) => level === 8)).toHaveLength(2);
  expect(wide.filter((level) => level === 4)).toHaveLength(1);
  const twice = levelsOf({ points: 0, repeats: 2 }, (level) =>
    level === 8 ? { ttftScheduled: about(90, 0.15) } : {},
  );
  expect(twice.filter((level) => level === 8)).toHaveLength(2);
  const few = { ttftScheduled: { p95: 50, interval: { p95: null } } };
  const none = levelsOf({ points: 0, repeats: 0 }, () => few);
  expect(new Set(none).size).toBe(none.length);

  const done = [1, 2, 2].map((level, i) =>
    stage(i, level, 'rate', level === 2 ? { ttftScheduled: about(i === 1 ? 120 : 90, 0.4) } : {}),
  );
  const knee = sweep.conclude?.(options, done);
  expect(knee).toMatchObject({ level: 1, missedAt: 2 });
  expect(knee?.levels.slice(1)).toEqual(
    [1, 2].map((index) => ({
      stage: index,
      level: 2,
      kept: false,
      reasons: ['ttft.p95 < 100: 105 (75.3 to 134.7)'],
      unsure: ['ttft.p95 < 100: 105 (75.3 to 134.7)'],
    })),
  );
});

test('goodput of a few requests is no sure goodput', () => {
  const keep = { ...options, keep: ['goodput >= 0.95'] };
  function kneeOf(measured: number): object | undefined {
    return sweep.conclude?.(keep, [
      stage(0, 1, 'rate', { goodput: { share: 1 }, requests: { measured, failed: 0, censored: 0 } }),
    ]).levels[0];
  }
  expect(kneeOf(20)).toMatchObject({ kept: true, unsure: [expect.stringContaining('(0.8389 to 1)')] });
  expect(kneeOf(100)).not.toHaveProperty('unsure');
});

test('a load that its client limited is tried again, never called kept, and another stage of it counts alone', () => {
  const client = { limited: true, reasons: ['it used 93 % of a core'] };
  const levels = levelsOf({ points: 0 }, (level) => (level === 4 ? { client } : {}));
  expect(levels.slice(0, 5)).toEqual([1, 2, 4, 4, 2.83]);
  const limited = [1, 4].map((level, i) => stage(i, level, 'rate', level === 4 ? { client } : {}));
  const knee = sweep.conclude?.(options, limited);
  expect(knee).toMatchObject({ level: 1, missedAt: 4 });
  expect(knee?.levels[1]?.reasons).toEqual([expect.stringMatching(/client was the limit.*93 % of a core/)]);
  const again = [...limited, stage(2, 4, 'rate')];
  expect(sweep.conclude?.(options, again)).toMatchObject({ level: 4, stage: 2, missedAt: null });
});

test('below a stage that ended over-saturated the search goes on', () => {
  const over = levelsOf({ points: 0 }, (level) => (level === 16 ? { stopped: 'over-saturated' } : {}));
  expect(over.slice(4, 6)).toEqual([16, 11.3]);
  expect(sweep.goesOnAfter).toEqual(['over-saturated']);
});

import { expect, test } from 'vitest';
import type { EngineSample, ServerSample } from '../../domain/run/server-sample.ts';
import { serverStage } from './server-stage.ts';

const silent: EngineSample = {
  running: null,
  waiting: null,
  kvUse: null,
  preemptions: null,
  prefixQueries: null,
  prefixHits: null,
  promptTokens: null,
  cachedTokens: null,
  outputTokens: null,
  requests: null,
};

function sampleAt(
  seconds: number,
  engine: Partial<EngineSample>,
  more: Partial<ServerSample> = {},
): ServerSample {
  const at = seconds * 1e6;
  return {
    schema: 1,
    at,
    engine: { ...silent, ...engine },
    gpus: [],
    process: null,
    cpuJoules: null,
    ...more,
  };
}

test('gauges are those of the window, totals those of the whole stage', () => {
  const samples = [0, 1, 2, 3].map((s) => sampleAt(s, { running: s, outputTokens: 10 * s }));
  const found = serverStage(samples, { window: { start: 1e6, end: 2e6 } });
  expect(found).toMatchObject({
    running: { n: 2, mean: 1.5, min: 1, max: 2 },
    outputTokens: 30,
    samples: 4,
    seconds: 3,
  });
});

test('an engine that was started anew in between has no totals', () => {
  const samples = [sampleAt(0, { outputTokens: 100 }), sampleAt(1, { outputTokens: 5 })];
  expect(serverStage(samples, { window: null })).toMatchObject({ restarted: true, outputTokens: null });
});

test('of llama.cpp, whose prompt tokens leave out the cached ones, the share found is of both', () => {
  const samples = [
    sampleAt(0, { promptTokens: 0, cachedTokens: 0 }),
    sampleAt(1, { promptTokens: 30, cachedTokens: 10 }),
  ];
  expect(serverStage(samples, { window: null })?.prefixHitShare).toBe(0.25);
});

test('energy is what a counter counted, else power over time, and a joule is told by output token', () => {
  function gpu(watts: number | null, joules: number | null): ServerSample['gpus'][number] {
    return { gpu: 'a', name: null, utilization: null, memoryBytes: null, watts, joules };
  }
  const powered = [100, 200, 100].map((watts, s) =>
    sampleAt(s, { outputTokens: s * 50 }, { gpus: [gpu(watts, null)], cpuJoules: 7 * s }),
  );
  const found = serverStage(powered, { window: null });
  expect(found?.gpus[0]?.energy).toEqual({ joules: 300, source: 'estimate' });
  expect(found?.cpuEnergy).toEqual({ joules: 14, source: 'counter' });
  expect(found?.joulesPerOutputToken).toBeCloseTo(3.14, 10);
  const counting = [0, 1].map((s) => sampleAt(s, {}, { gpus: [gpu(null, 1000 + s)] }));
  expect(serverStage(counting, { window: null })?.gpus[0]?.energy).toEqual({ joules: 1, source: 'counter' });
});

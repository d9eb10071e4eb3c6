import { expect, test } from 'vitest';
import type { Report } from '../../domain/run/report.ts';
import { gammaVariate } from '../../stats/gamma.ts';
import { seededRandom } from '../../stats/random.ts';
import type { Random } from '../../stats/random.ts';
import { exampleReport } from '../../../test/support/example-report.ts';
import { judgeHistory, runKey } from './history.ts';
import type { History } from './history.ts';

/** A run that is so many times slower than usual; everything else is as ever. */
function run(slower: number): Report {
  const report = exampleReport();
  const [stage] = report.stages;
  if (!stage?.ttft) throw new Error('the example has no such stage');
  const ttft = { ...stage.ttft, p50: 100 * slower, p95: 130 * slower };
  return { ...report, stages: [{ ...stage, ttft, e2e: null, tpot: null, steady: null, overall: null }] };
}

function verdict(history: History): string | undefined {
  return history.figures.find(({ metric }) => metric === 'TTFT p50')?.verdict;
}

/** Noise of 3 % from run to run. */
function noise(random: Random): number {
  const shape = 1 / 0.03 ** 2;
  return gammaVariate(shape, random) / shape;
}

test('one bad run is suspect, two in a row are a regression, and a good one ends it', () => {
  const usual = [1, 1.02, 0.98, 1.01, 0.99, 1].map(run);
  expect(verdict(judgeHistory(run(1.01), usual))).toBe('usual');
  expect(verdict(judgeHistory(run(1.2), usual))).toBe('suspect');
  expect(verdict(judgeHistory(run(1.2), [...usual, run(1.2)]))).toBe('regression');
  expect(verdict(judgeHistory(run(1), [...usual, run(1.2)]))).toBe('usual');
  expect(verdict(judgeHistory(run(0.7), [...usual, run(0.7)]))).toBe('usual');
});

test('of 1000 runs without a change fewer than one in a hundred is called a regression; a tenth slower is found', () => {
  const random = seededRandom(7);
  let alarms = 0;
  let found = 0;
  for (let i = 0; i < 1000; i += 1) {
    const earlier = Array.from({ length: 21 }, () => run(noise(random)));
    if (verdict(judgeHistory(run(noise(random)), earlier)) === 'regression') alarms += 1;
    const slower = [...earlier.slice(0, -1), run(1.1 * noise(random))];
    if (verdict(judgeHistory(run(1.1 * noise(random)), slower)) === 'regression') found += 1;
  }
  expect(alarms).toBeLessThan(10);
  expect(found).toBeGreaterThan(400);
}, 240_000);

test('fewer than five earlier runs tell no spread: a tenth worse twice is the limit', () => {
  const two = [run(1), run(1.09)];
  expect(judgeHistory(run(1.09), two).figures[0]?.score).toBeNull();
  expect(verdict(judgeHistory(run(1.09), two))).toBe('usual');
  expect(verdict(judgeHistory(run(1.12), [run(1), run(1.12)]))).toBe('regression');
  expect(judgeHistory(run(2), [run(1)]).figures).toEqual([]);
});

test('another load, model, engine or machine is another history; another seed or name is not', () => {
  const report = exampleReport();
  const key = runKey(report);
  expect(runKey({ ...report, name: 'x', spec: { ...report.spec, seed: 9, name: 'x' } })).toBe(key);
  expect(runKey({ ...report, server: { ...report.server, server: 'llama.cpp b7001' } })).not.toBe(key);
  expect(runKey({ ...report, spec: { ...report.spec, cache: 'warm' } })).not.toBe(key);
  expect(runKey({ ...report, environment: { ...report.environment, cpu: 'another' } })).not.toBe(key);
});

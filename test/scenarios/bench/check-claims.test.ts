import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

const figures = join(import.meta.dirname, '../../../examples/figures.yaml');
let place: Place;
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

test('128 % efficiency is 67 %, 183 tok/s counts the prompt, and the price is that of another instance', async () => {
  const ran = await place.berth('check-claims', figures, '--json');
  expect(ran.code).toBe(8);
  const { claims } = ran.json() as { claims: { name: string; computed: number; conclusion: string }[] };
  const computed = Object.fromEntries(claims.map((one) => [one.name, one.computed]));
  expect(computed['parallel-efficiency']).toBeCloseTo(0.668, 3);
  expect(computed['throughput-at-5']).toBeCloseTo(91.6, 1);
  expect(computed['price']).toBeCloseTo(1.84, 2);
  const text = (await place.berth('check-claims', figures)).stdout;
  expect(text).toContain(
    'The efficiency is 66.8 %, not 128 %: that figure compares wall times of unequal work.',
  );
  expect(text).toContain('speed-up by tokens: 6.16 / 4.61 = 1.34');
  expect(text).toContain('it counts prompt tokens');
  expect(text).toContain('0.002791 per 1K is the price of 1.84 an hour, not of 5.');
});

test('figures that fit each other hold, and the exit code is 0', async () => {
  place.write(
    `version: 1
claims:
  scaling: {kind: efficiency, claims: {efficiency: 0.9}, single: {streams: 1, outputTokens: 100, seconds: 10}, parallel: {streams: 4, outputTokens: 360, seconds: 10}}
  rate: {kind: throughput, claims: {outputTokensPerSecond: 98}, streams: 2, itlMs: 20}
  price: {kind: cost, claims: {pricePerHour: 3.6}, pricePer1kTokens: 0.01, tokensPerSecond: 100}
`,
    'fit.yaml',
  );
  const ran = await place.berth('check-claims', 'fit.yaml', '--json');
  expect(ran.code).toBe(0);
  const { claims } = ran.json() as { claims: { verdict: string }[] };
  expect(claims.map((one) => one.verdict)).toEqual(['holds', 'holds', 'holds']);
});

test('a file of claims tells all its faults with line and column', async () => {
  place.write(
    'version: 1\nclaims:\n  a: {kind: cost, claims: {pricePerHour: -1}, pricePer1kTokens: 1, tokensPerSecond: fast}\n',
    'bad.yaml',
  );
  const ran = await place.berth('check-claims', 'bad.yaml');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('bad.yaml:3:42 claims.a.claims.pricePerHour');
  expect(ran.stderr).toContain('bad.yaml:3:85 claims.a.tokensPerSecond');
  expect((await place.berth('check-claims', 'none.yaml')).stderr).toContain('none.yaml');
});

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bench } from '../support/bench.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const model = resolve(import.meta.dirname, '../../examples/quickstart/model/berth-toy.Q8_0.gguf');
const id = randomBytes(8).toString('hex');
let place: Place;

beforeAll(() => {
  place = makePlace();
});
afterAll(async () => {
  await place.berth('down');
  await place.close();
});

function write(rps: number): void {
  place.write(`version: 1
fleet: lab
id: "${id}"
models: {toy: {source: ${JSON.stringify(model)}}}
deployments:
  toy: {model: toy, engine: {kind: embedded, slots: 2, context: 512}, limits: {rps: ${rps}}}
benchmarks:
  short: {of: toy, profile: {kind: concurrent, streams: [1, 2, 4]}, requests: 6, ignoreEos: true, data: {kind: synthetic, prompt: 20, output: 12}}
`);
}

async function found(): Promise<{ message: string; evidence: string[]; cure: string } | undefined> {
  const { findings } = (await place.berth('plan', '--json')).json() as {
    findings: { rule: string; object: string; message: string; evidence: string[]; cure: string }[];
  };
  return findings.find((one) => one.rule === 'rate-above-measured' && one.object === 'toy');
}

test('a plan tells of a rate that the engine was measured not to keep up, and of none that it does', async () => {
  write(100_000);
  const applied = await place.berth('apply');
  expect(applied.code, applied.stderr).toBe(0);
  // Nothing was measured yet.
  expect(await found()).toBeUndefined();
  const { report } = await bench(place, ['short']);

  const finding = await found();
  const full = report.stages[1];
  const { ttft, tpot, outputTokens } = full ?? {};
  if (!ttft || !tpot || !outputTokens) throw new Error('a stage without latencies');
  const most = 2000 / (ttft.p50 + (outputTokens.mean - 1) * tpot.mean);
  const said = Number(Number(most.toPrecision(3)));
  expect(finding?.evidence).toEqual([
    expect.stringContaining(`run ${report.id}, ${full?.label}: `),
    `2 slots / (TTFT + (tokens − 1) × TPOT) = ${said} requests/s`,
  ]);
  expect(finding?.cure).toContain(`Set limits.rps to ${said} or less`);

  write(Math.max(0.001, said * 0.9));
  expect(await found()).toBeUndefined();
});

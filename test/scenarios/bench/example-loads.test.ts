import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openSchedule } from '../../../src/bench/load/arrivals.ts';
import { makeSpec } from '../../../src/bench/run/make-spec.ts';
import { profiles } from '../../../src/bench/profiles/registry.ts';
import { nextOf } from '../../../src/bench/registry-entry.ts';
import { FleetFile } from '../../../src/fleet-schema.ts';
import { seededRandom } from '../../../src/stats/random.ts';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';

const path = join(import.meta.dirname, '../../../examples/benchmarks/berth.yaml');
let place: Place;
let server: ScriptedServer;
beforeAll(async () => {
  place = makePlace();
  server = await startScriptedServer();
  place.write(readFileSync(path, 'utf8').replace('http://127.0.0.1:8000', server.url));
});
afterAll(async () => {
  await server.close();
  await place.close();
});

test('the example of loads is a fleet file that berth takes', async () => {
  const ran = await place.berth('validate', '-f', path);
  expect(ran.stderr + ran.stdout).not.toContain('error');
  expect(ran.code).toBe(0);
});

test('its levels are 1, 5, 10 and 25 requests in flight, two minutes each', async () => {
  const { report } = await bench(place, ['levels', '--max-requests', '26', '--output-tokens', '4']);
  expect(report.stages.map(({ strategy }) => strategy)).toEqual(
    [1, 5, 10, 25].map((streams) => ({ kind: 'closed', streams })),
  );
  expect(report.stages.map(({ requests }) => requests.ok)).toEqual([26, 26, 26, 26]);
  expect(report.stages[0]?.promptTokens).toMatchObject({ min: 256, max: 256, offTarget: 0 });
  const { benchmarks } = FleetFile.parse(parse(readFileSync(path, 'utf8')));
  expect(benchmarks['levels']?.seconds).toBe(120);
});

test('its rates send exactly rate × seconds requests after a warm-up of twenty', () => {
  const { benchmarks } = FleetFile.parse(parse(readFileSync(path, 'utf8')));
  const { of, via, api, ...entry } = benchmarks['rates'] as (typeof benchmarks)[string];
  expect([of, via, api]).toEqual(['server', undefined, undefined]);
  const spec = makeSpec('rates', entry, {
    url: 'http://x',
    api: 'chat',
    model: null,
    key: null,
    tokenizer: null,
    metrics: null,
    gpuMetrics: null,
    deployment: null,
    engine: null,
  });
  const next = nextOf(profiles, spec.profile);
  for (const [i, rate] of [1, 5, 10].entries()) {
    const strategy = next(Array.from({ length: i }, () => ({}) as never));
    if (strategy?.kind !== 'open') throw new Error('not an open loop');
    const { due, warmup } = openSchedule(strategy, spec, seededRandom(1));
    expect([warmup, due.length - warmup]).toEqual([20, rate * 60]);
  }
});

test('its chat has prompts of different lengths behind one common beginning', async () => {
  const { report } = await bench(
    place,
    ['chat', '--rate', '40', '--max-requests', '30', '--warmup', '2', '--output-tokens', '3'],
    [0, 3, 5],
  );
  const texts = server
    .bodies()
    .slice(-32)
    .map((body) => (body['messages'] as { content: string }[])[0]?.content ?? '');
  expect(new Set(texts.map((text) => text.split(' ').slice(0, 401).join(' '))).size).toBe(1);
  expect(new Set(texts.map((text) => text.length)).size).toBeGreaterThan(10);
  expect(report.spec.cache).toBe('warm');
  expect(server.bodies().at(-1)).not.toHaveProperty('cache_prompt');
});

test("a command line of GuideLLM's runs as it stands", async () => {
  const before = server.bodies().length;
  const { report } = await bench(place, [
    '--target',
    server.url,
    '--rate-type',
    'concurrent',
    '--rate',
    '1,2',
    '--max-requests',
    '10',
    '--warmup',
    '0.2',
    '--random-seed',
    '7',
    '--data',
    'prompt_tokens=40,prompt_tokens_stdev=5,prompt_tokens_min=30,prompt_tokens_max=50,output_tokens=5,prefix_tokens=8',
  ]);
  expect(report.stages.map(({ strategy }) => strategy)).toEqual([
    { kind: 'closed', streams: 1 },
    { kind: 'closed', streams: 2 },
  ]);
  expect(report.stages.map(({ requests }) => [requests.warmup, requests.ok])).toEqual([
    [2, 10],
    [2, 10],
  ]);
  expect(report.spec).toMatchObject({ seed: 7, warmup: { kind: 'requests', count: 2 } });
  const { min = 0, max = 0, offTarget } = report.stages[0]?.promptTokens ?? {};
  expect([min >= 38, max <= 58, min < max, offTarget]).toEqual([true, true, true, 0]);
  // No prompt comes twice, not even one of the warm-up.
  const texts = server
    .bodies()
    .slice(before)
    .map((body) => JSON.stringify(body['messages']));
  expect(new Set(texts).size).toBe(24);
});

test("GuideLLM's rate of a throughput is how many requests are in flight at most", async () => {
  const load = ['--max-requests', '6', '--data', 'prompt_tokens=8,output_tokens=2'];
  const { report } = await bench(place, [server.url, '--rate-type', 'throughput', '--rate', '3', ...load]);
  expect(report.stages.map(({ strategy }) => strategy)).toEqual([{ kind: 'closed', streams: 3 }]);
});

test('the kind= forms run as well: profile with warm-up, data and constraints', async () => {
  const { report } = await bench(place, [
    server.url,
    '--profile',
    'kind=concurrent,streams=[1,3],warmup={"value":3,"mode":"requests"}',
    '--constraint',
    'kind=max_requests,count=4',
    'kind=max_errors,count=2',
    '--seed',
    'kind=static,value=42',
    '--data',
    'kind=synthetic_text,prompt_tokens=30,output_tokens=3,prefix_buckets=[{bucket_weight:1,prefix_count:1,prefix_tokens:4}]',
  ]);
  expect(report.spec).toMatchObject({
    profile: { kind: 'concurrent', streams: [1, 3] },
    limits: { seconds: null, requests: 4, errors: 2 },
    warmup: { kind: 'requests', count: 3 },
    seed: 42,
  });
  expect(report.stages[1]?.promptTokens).toMatchObject({ min: 34, max: 34 });
});

test.each([
  ['--rate-type', 'poisson', '--profile', 'poisson'],
  ['--constraint', 'kind=over_the_moon'],
  ['--profile', 'kind=constant,rate=1,cooldown=0.1'],
  ['--warmup', '0.5', '--data', 'prompt_tokens=8'],
  ['--cache', 'shared:2'],
  ['--cache', 'shared:0.5', '--data', '/prompts.jsonl'],
])('what cannot be taken over is refused with code 2: %s %s', async (...args) => {
  const ran = await place.berth('bench', server.url, ...args);
  expect(ran.code).toBe(2);
});

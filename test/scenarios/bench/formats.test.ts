import { readFileSync } from 'node:fs';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

interface Metric {
  successful: { mean: number; count: number; percentiles: { p50: number; p99: number } };
  errored: { count: number };
}
interface GuideLlm {
  metadata?: { version: number };
  benchmarks: {
    config: { strategy: { type_: string; streams: number } };
    args: { strategy: { type_: string; streams: number } };
    metrics: Record<string, Metric>;
    request_totals: Record<string, number>;
    requests: { successful: { output_tokens: number }[]; errored: unknown[]; incomplete: unknown[] };
  }[];
}

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
  place = makePlace();
  // Two tokens an event, and every sixth request is answered with an error.
  const model = JSON.stringify({
    ttftMs: 60,
    itlMs: 20,
    tokensPerEvent: 2,
    fault: { every: 6, kind: 'server-error' },
  });
  const load = ['--streams', '1,3', '--max-requests', '12', '--output-tokens', '10', '--prompt-tokens', '20'];
  const ran = await place.berth(
    'bench',
    truth.url,
    '--model',
    model,
    ...load,
    '--warmup',
    '0',
    '--no-calibrate',
  );
  if (ran.code !== 0 && ran.code !== 5) throw new Error(ran.stderr);
});
afterAll(async () => {
  await place.close();
  await truth.close(0);
});

async function written(format: string): Promise<Buffer> {
  const ran = await place.berth('report', 'last', '--format', format, '--out', `run.${format}`, '--json');
  expect(ran.code).toBe(0);
  const { path } = ran.json() as { path: string };
  return readFileSync(path);
}

test('records come as lines of JSON and as Parquet, one row a request, what is unknown null', async () => {
  const lines = (await written('jsonl')).toString().trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { phase: string; outcome: string });
  expect(records.filter(({ phase }) => phase === 'measured')).toHaveLength(24);
  const bytes = await written('parquet');
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const rows = await parquetReadObjects({ file });
  expect(rows.map((row) => row['outcome'])).toEqual(records.map(({ outcome }) => outcome));
  const good = rows.filter((row) => row['outcome'] === 'ok');
  expect(good.length).toBeGreaterThanOrEqual(20);
  for (const row of good) {
    expect(row).toMatchObject({ level: expect.stringMatching(/stream/), output_tokens: 10, token_events: 5 });
    expect(row['gaps_us']).toHaveLength(4);
    expect(row['ttft_ms']).toBeGreaterThan(40);
    // Five events of two tokens, 20 ms apart: 80 ms over nine tokens.
    expect(row['tpot_ms']).toBeCloseTo((row['itl_mean_ms'] as number) * (4 / 9), 6);
  }
  const failed = rows.find((row) => row['outcome'] === 'server-error');
  expect(failed).toMatchObject({ ttft_ms: null, tpot_ms: null, status: 503, gaps_us: [] });
});

test("GuideLLM's second layout has its definitions: ITL over tokens, TPOT with the first token, errors apart", async () => {
  const report = JSON.parse((await written('guidellm')).toString()) as GuideLlm;
  expect(report.metadata?.version).toBe(2);
  expect(report.benchmarks.map(({ config }) => config.strategy.streams)).toEqual([1, 3]);
  const [first] = report.benchmarks;
  expect(first?.requests.successful).toHaveLength(10);
  expect(first?.requests.errored).toHaveLength(2);
  const { metrics } = first as NonNullable<typeof first>;
  const itl = metrics['inter_token_latency_ms'] as Metric;
  // Its weight is the tokens after the first.
  expect(itl.successful.count).toBe(90);
  expect(itl.errored.count).toBe(0);
  const ttft = metrics['time_to_first_token_ms'] as Metric;
  const tpot = metrics['time_per_output_token_ms'] as Metric;
  expect(ttft.successful.count).toBe(10);
  expect(tpot.successful.mean).toBeCloseTo((ttft.successful.mean + 9 * itl.successful.mean) / 10, 6);
  const rate = metrics['output_tokens_per_second'] as Metric;
  const both = metrics['tokens_per_second'] as Metric;
  expect(both.successful.mean).toBeGreaterThan(2 * rate.successful.mean);
});

test('the layout of GuideLLM 0.3 has what older scripts read, with the older meaning of TPOT', async () => {
  const report = JSON.parse((await written('guidellm-0.3')).toString()) as GuideLlm;
  expect(Object.keys(report)).toEqual(['benchmarks']);
  const [, second] = report.benchmarks;
  expect(second?.args.strategy).toMatchObject({ type_: 'concurrent', streams: 3 });
  expect(second?.request_totals).toEqual({ successful: 10, errored: 2, incomplete: 0, total: 12 });
  const { metrics } = second as NonNullable<typeof second>;
  const itl = metrics['inter_token_latency_ms'] as Metric;
  const tpot = metrics['time_per_output_token_ms'] as Metric;
  expect(itl.successful.count).toBe(10);
  expect(tpot.successful.mean).toBeCloseTo(itl.successful.mean * 0.9, 6);
  expect(second?.requests.successful[0]?.output_tokens).toBe(10);
});

test('Markdown has a row a stage, the machine, how streams add up, and what failed', async () => {
  const text = (await written('markdown')).toString();
  expect(text).toMatch(/^\| 1 stream \| 10 \| 2 \| /m);
  expect(text).toMatch(/^\| 3 streams \| 10 \| 2 \| /m);
  expect(text).toContain('2 ended as server-error');
  expect(text).toMatch(/^Measured from .+, \d+ cores?, [\d.]+ GiB, .+, by berth \d/m);
  expect(text).toMatch(/^- 3 streams give [\d.]+ times the output tokens\/s of one: efficiency [\d.]+ %$/m);
  expect(text).not.toContain('1 streams');
});

test('a format goes to stdout where no file is named, and one that is not there is named with those that are', async () => {
  const ran = await place.berth('report', 'last', '--format', 'csv');
  expect(ran.stdout).toMatch(/^run_id,/);
  const unknown = await place.berth('report', 'last', '--format', 'xlsx');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('text, json, csv, html, markdown, jsonl, parquet, guidellm, guidellm-0.3');
  expect((await place.berth('report', '--help')).stdout).toContain('parquet       one row a request');
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
  place = makePlace();
  // Gaps so long that a busy machine's delays stay a small share of them.
  const model = JSON.stringify({ ttftMs: 20, itlMs: 25 });
  const load = ['--streams', '8', '--max-requests', '520', '--output-tokens', '4', '--prompt-tokens', '20'];
  const ran = await place.berth('bench', truth.url, '--model', model, ...load, '--no-calibrate');
  if (ran.code !== 0 && ran.code !== 5) throw new Error(ran.stderr);
  for (const format of ['guidellm', 'guidellm-0.3'])
    await place.berth('report', 'last', '--format', format, '--out', `${format}.json`);
});
afterAll(async () => {
  await place.close();
  await truth.close(0);
});

function read(name: string): Record<string, unknown> & { benchmarks: Record<string, unknown>[] } {
  return JSON.parse(readFileSync(join(place.folder, name), 'utf8')) as never;
}

function write(name: string, value: unknown): void {
  place.write(JSON.stringify(value), name);
}

interface Shown {
  tool: string;
  notes: string[];
  stages: {
    label: string;
    values: Record<string, number[]>;
    summaries: Record<string, { n: number | null; p50: number }>;
    outputTokensPerSecond: number;
  }[];
}

async function shown(file: string): Promise<Shown> {
  const ran = await place.berth('report', `./${file}`, '--json');
  expect(ran.stderr).toBe('');
  return ran.json();
}

interface Compared {
  comparisons: {
    differs: string[];
    unequal: string[];
    stages: { differences: { metric: string; base: number; other: number; verdict: string }[] }[];
  }[];
}

test('every layout of GuideLLM gives the same figures, and says by which meaning', async () => {
  const newest = read('guidellm.json');
  const { benchmarks } = newest;
  write('guidellm-0.5.json', {
    metadata: { version: 1, guidellm_version: '0.5.4' },
    args: { target: 'http://x' },
    benchmarks,
  });
  write('guidellm-0.4.json', { args: { target: 'http://x', model: 'm' }, benchmarks });
  const found = await Promise.all(
    ['guidellm.json', 'guidellm-0.5.json', 'guidellm-0.4.json', 'guidellm-0.3.json'].map(shown),
  );
  expect(found.map(({ tool }) => tool)).toEqual([
    expect.stringMatching(/^GuideLLM written by berth/),
    'GuideLLM 0.5.4',
    'GuideLLM 0.4',
    'GuideLLM up to 0.3',
  ]);
  for (const { stages } of found) {
    expect(stages[0]?.label).toBe('8 streams');
    expect(stages[0]?.values['ttft']).toEqual(found[0]?.stages[0]?.values['ttft']);
    expect(stages[0]?.values['e2e']).toEqual(found[0]?.stages[0]?.values['e2e']);
  }
  const tpots = found.map(({ stages }) => stages[0]?.values['tpot'] ?? []);
  expect(tpots[1]).toEqual(tpots[0]);
  expect(tpots[2]).toEqual(tpots[0]);
  // Up to 0.3 nothing tells several events at one time from a single one.
  expect(tpots[3]).toEqual(tpots[0]?.filter((tpot) => tpot > 0));
  expect(found[2]?.notes.join()).toContain('time_per_output_token has the time to the first token in it');
  expect(found[3]?.notes.join()).toContain('time_per_output_token divides by all tokens');
});

test('a run of another tool is compared as far as it measures the same, and what is not told is named', async () => {
  const ran = await place.berth('compare', './guidellm.json', 'last', '--json');
  expect([0, 5]).toContain(ran.code);
  const [compared] = (ran.json() as Compared).comparisons;
  const differences = compared?.stages[0]?.differences ?? [];
  const names = differences.map(({ metric }) => metric);
  expect(names).toEqual(
    expect.arrayContaining(['TTFT p50', 'TPOT p50', 'E2E p50', 'output rate, whole stage']),
  );
  expect(names.filter((name) => name.startsWith('ITL'))).toEqual([]);
  // It is the same run: nothing may have become worse or better by the detour.
  expect(differences.map(({ verdict }) => verdict)).not.toContain('worse');
  expect(differences.find(({ metric }) => metric === 'TPOT p50')?.verdict).toBe('no difference');
  for (const { base, other } of differences.filter(({ metric }) => metric.startsWith('TPOT')))
    expect(base).toBeCloseTo(other, 3);
  expect(compared?.differs.join()).toContain('not told by one of them: prefix cache');
});

test('of a file that keeps a sample of its requests only the sums are taken', async () => {
  const file = read('guidellm.json');
  const [first] = file.benchmarks as { requests: { successful: unknown[] } }[];
  first!.requests.successful.length = 20;
  write('sampled.json', file);
  const { stages, notes } = await shown('sampled.json');
  expect(stages[0]?.values).toEqual({});
  // Weighted by the tokens after the first, as theirs is: 520 requests of four.
  expect(stages[0]?.summaries['tpot']?.n).toBe(1560);
  expect(stages[0]?.summaries['e2e']).toBeUndefined();
  expect(notes.join()).toContain('not all of its requests');
  const text = (await place.berth('compare', './sampled.json', 'last')).stdout;
  expect(text).toMatch(/TPOT p50, ms .*not enough data/);
});

test('vllm bench: seconds become ms, failed requests are no zeros, gaps stay gaps', async () => {
  const detailed = {
    duration: 2,
    completed: 2,
    failed: 1,
    total_input_tokens: 40,
    total_output_tokens: 7,
    request_throughput: 1,
    output_throughput: 3.5,
    max_concurrency: 8,
    request_rate: 'inf',
    model_id: 'm',
    endpoint_type: 'openai-chat',
    input_lens: [20, 20, 20],
    output_lens: [4, 3, 0],
    ttfts: [0.1, 0.2, 0],
    itls: [[0.01, 0.01, 0.04], [0.02, 0.02], []],
    errors: ['', '', 'refused'],
    mean_ttft_ms: 150,
    median_ttft_ms: 150,
    p99_ttft_ms: 199,
  };
  write('vllm.json', detailed);
  const { tool, stages, notes } = await shown('vllm.json');
  expect(tool).toBe('vllm bench serve');
  expect(stages[0]?.label).toBe('8 streams');
  expect(stages[0]?.values['ttft']).toEqual([100, 200]);
  expect(stages[0]?.values['itl']).toEqual([10, 10, 40, 20, 20]);
  expect(stages[0]?.values['tpot']?.map(Math.round)).toEqual([20, 20]);
  expect(stages[0]?.values['e2e']?.map(Math.round)).toEqual([160, 240]);
  expect(notes.join()).toContain('first chunk');
  const { ttfts: _, ...sums } = detailed;
  write('vllm-sums.json', { ...sums, max_concurrency: null, request_rate: 2 });
  const summed = await shown('vllm-sums.json');
  expect(summed.stages[0]).toMatchObject({ label: '2 req/s', values: {} });
  expect(summed.stages[0]?.summaries['ttft']).toMatchObject({ n: 2, p50: 150, p99: 199, p95: null });
  const refused = await place.berth('compare', './vllm.json', 'last');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('8 streams: output tokens a request: 3.5 and 4.0');
});

test("AIPerf: units are converted, its ITL is TPOT, and its client's token count is not the server's", async () => {
  const metric = { unit: 'ms', avg: 21, p50: 20, p95: 25, p99: 30, count: 520 };
  write('aiperf.json', {
    schema_version: '1.0',
    aiperf_version: '0.13.0',
    request_latency: { ...metric, unit: 'us', p50: 35_000 },
    time_to_first_token: metric,
    inter_token_latency: { ...metric, unit: 'sec', p50: 0.005 },
    output_token_throughput: { unit: 'tokens/sec', avg: 900 },
    output_sequence_length: { unit: 'tokens', avg: 4 },
    input_sequence_length: { unit: 'tokens', avg: 20 },
    input_config: {
      endpoint: { model_names: ['m'], type: 'chat', urls: ['http://x'] },
      loadgen: { concurrency: 8 },
    },
  });
  const { tool, stages, notes } = await shown('aiperf.json');
  expect(tool).toBe('AIPerf 0.13.0');
  expect(stages[0]?.label).toBe('8 streams');
  expect(stages[0]?.summaries['tpot']).toMatchObject({ p50: 5 });
  expect(stages[0]?.summaries['e2e']).toMatchObject({ p50: 35 });
  expect(stages[0]?.summaries['itl']).toBeUndefined();
  expect(notes.join()).toContain('it stands as TPOT');
  // The shape that 0.13 writes.
  const newer = { ...JSON.parse(readFileSync(join(place.folder, 'aiperf.json'), 'utf8')) } as Record<
    string,
    unknown
  >;
  newer['input_config'] = {
    models: { items: [{ name: 'm' }] },
    endpoint: { urls: ['http://x'], type: 'chat', streaming: true },
    phases: [{ name: 'profiling', type: 'concurrency', requests: 20, concurrency: 2 }],
  };
  write('aiperf-0.13.json', newer);
  const shownNewer = await shown('aiperf-0.13.json');
  expect(shownNewer).toMatchObject({ model: 'm', url: 'http://x', api: 'chat' });
  expect(shownNewer.stages[0]?.label).toBe('2 streams');
  const refused = await place.berth('compare', './aiperf.json', 'last');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('output tokens counted by: tokenize and usage');
  const text = (await place.berth('compare', './aiperf.json', 'last', '--unequal')).stdout;
  expect(text).toMatch(/8 streams +TPOT p50, ms +5\.0/);
});

test('inference-perf: seconds become ms, and its ITL with zeros in it is left out with the reason', async () => {
  const summary = { mean: 0.02, median: 0.02, p95: 0.03, p99: 0.04 };
  write('inference-perf.json', {
    load_summary: { count: 100, requested_rate: 5, achieved_rate: 4.9 },
    successes: {
      count: 100,
      latency: {
        request_latency: summary,
        time_to_first_token: summary,
        time_per_output_token: summary,
        inter_token_latency: { mean: 0, median: 0 },
      },
      throughput: { output_tokens_per_sec: 20, requests_per_sec: 5 },
      prompt_len: { mean: 20 },
      output_len: { mean: 4 },
    },
    failures: { count: 3 },
  });
  const { stages, notes } = await shown('inference-perf.json');
  expect(stages[0]).toMatchObject({ label: '5 req/s', outputTokensPerSecond: 20 });
  expect(stages[0]?.summaries).toMatchObject({ ttft: { p50: 20 }, tpot: { p50: 20 }, e2e: { p50: 20 } });
  expect(stages[0]?.summaries['itl']).toBeUndefined();
  expect(notes.join()).toContain('zero for every further token');
  const apart = await place.berth('compare', './inference-perf.json', 'last', '--unequal');
  expect(apart.code).toBe(2);
  expect(apart.stderr).toContain('no figure of the same load in common (loads: 5 req/s, 8 streams)');
});

test('a file that no tool wrote, and a format that another tool has no records for, are refused with what is known', async () => {
  place.write('{"hello": 1}', 'odd.json');
  const odd = await place.berth('report', './odd.json');
  expect(odd.code).toBe(2);
  expect(odd.stderr).toContain('report of GuideLLM, every layout (JSON); result of vllm bench serve (JSON)');
  place.write('not JSON', 'odd.txt');
  expect((await place.berth('compare', './odd.txt', 'last')).stderr).toContain('it is not JSON');
  const html = await place.berth('report', './guidellm.json', '--format', 'html');
  expect(html.code).toBe(2);
  expect(html.stderr).toContain('without the records that html is made from');
});

test('several runs are held against the first, as Markdown for a pull request', async () => {
  const ran = await place.berth('compare', 'last', 'last', './guidellm-0.3.json', '--format', 'markdown');
  expect([0, 5]).toContain(ran.code);
  expect(ran.stdout.match(/^### /gm)).toHaveLength(2);
  expect(ran.stdout).toContain('| load | figure | base | run | change | 95 % interval | verdict |');
  expect(ran.stdout).toMatch(/^\| 8 streams \| TTFT p50, ms \|.*\| (no difference|not enough data .*) \|$/m);
});

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { Report } from '../../../src/domain/run/report.ts';
import { streamsOf } from '../../../src/domain/strategy.ts';
import { recompute } from './recompute.ts';

const bin = resolve(import.meta.dirname, '../../../bin/berth.js');
let state: string;
let truth: TruthServer;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'berth bench '));
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await truth.close(0);
  rmSync(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

async function berth(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const argv = [bin, ...args, '--state-dir', state];
  const env = { ...process.env, TRUTH_KEY: 'sk-not-to-be-seen' };
  return promisify(execFile)(process.execPath, argv, { env, timeout: 110_000 }).then(
    (done) => ({ code: 0, ...done }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

interface Measured {
  code: number;
  folder: string;
  report: Report;
  records: string;
}

/** A benchmark of the truth server; a loaded machine may limit the client, which is no fault of these tests. */
async function measure(truthCase: object, ...args: string[]): Promise<Measured> {
  const model = JSON.stringify({ ttftMs: 20, itlMs: 3, ...truthCase });
  const done = await berth('bench', truth.url, '--model', model, '--json', '--no-calibrate', ...args);
  expect([0, 5], done.stderr).toContain(done.code);
  const { runs } = JSON.parse(done.stdout) as { runs: { folder: string; report: unknown }[] };
  const folder = runs[0]?.folder as string;
  const records = readFileSync(join(folder, 'records.jsonl'), 'utf8');
  return { code: done.code, folder, report: Report.parse(runs[0]?.report), records };
}

test('every figure of the table can be worked out again from the raw records', async () => {
  const done = await measure(
    {},
    '--streams',
    '1,2',
    '--max-seconds',
    '1',
    '--prompt-tokens',
    '40',
    '--output-tokens',
    '12',
    '--warmup',
    '2',
  );
  const { report, records, folder } = done;
  expect(report.stages.map((stage) => streamsOf(stage.strategy))).toEqual([1, 2]);
  for (const stage of report.stages) {
    const again = recompute(records, stage.index, 1);
    expect(stage.requests).toMatchObject({ ok: again.ok, failed: again.failed, censored: 0 });
    expect(stage.ttft?.p50).toBeCloseTo(again.ttftP50, 6);
    expect(stage.ttft?.p95).toBeCloseTo(again.ttftP95, 6);
    expect(stage.itl?.p50).toBeCloseTo(again.itlP50, 6);
    expect(stage.itl?.p99).toBeCloseTo(again.itlP99, 6);
    expect(stage.e2e?.p50).toBeCloseTo(again.e2eP50, 6);
    expect(stage.steady?.outputTokensPerSecond).toBeCloseTo(again.outputRate, 6);
    expect(stage.steady?.promptTokensPerSecond).toBeCloseTo(again.promptRate, 6);
  }
  // The engine's own counters moved by exactly what the records say, warm-up included, over both stages together.
  const both = [0, 1].map((index) => recompute(records, index, 1));
  expect(report.stages[0]?.engine).toBeNull();
  expect(report.stages[1]?.engine).toMatchObject({
    promptTokens: both.reduce((sum, { promptSum }) => sum + promptSum, 0),
    outputTokens: both.reduce((sum, { outputSum }) => sum + outputSum, 0),
    agrees: true,
    stages: 2,
  });
  const [one, two] = report.stages.map((stage) => recompute(records, stage.index, 1).outputRate) as [
    number,
    number,
  ];
  expect(report.scaling[1]).toMatchObject({ streams: 2 });
  expect(report.scaling[1]?.speedup).toBeCloseTo(two / one, 6);
  expect(report.scaling[1]?.efficiency).toBeCloseTo(two / one / 2, 6);
  const table = (await berth('report', folder)).stdout;
  for (const stage of report.stages) {
    const row = table.split('\n').find((line) => line.startsWith(stage.label));
    expect(row).toContain(recompute(records, stage.index, 1).outputRate.toFixed(1));
  }
});

test('prompts have exactly the asked tokens, template included, each its own, and the warm-up has others', async () => {
  const { report } = await measure(
    {},
    '--max-requests',
    '6',
    '--prompt-tokens',
    '33',
    '--output-tokens',
    '4',
    '--warmup',
    '3',
  );
  const [stage] = report.stages;
  expect(stage?.promptTokens).toMatchObject({ min: 33, max: 33, offTarget: 0, sources: ['usage'] });
  expect(stage?.outputTokens).toMatchObject({ min: 4, max: 4, offTarget: 0 });
  expect(stage?.requests).toMatchObject({ warmup: 3, measured: 6, ok: 6 });
  expect(report.server).toMatchObject({
    tokenizer: '/tokenize (llama-server)',
    templateTokens: 5,
    notes: [],
  });
});

test('the warm-up reaches every stream, and a request keeps the phase in which it was admitted', async () => {
  const { records } = await measure(
    {},
    '--streams',
    '4',
    '--max-requests',
    '8',
    '--prompt-tokens',
    '20',
    '--output-tokens',
    '4',
    '--warmup',
    '1',
  );
  const lines = records
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { phase: string; stream: number; id: number });
  const warm = lines.filter((line) => line.phase === 'warmup');
  expect(warm.map((line) => line.stream).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  expect(Math.max(...warm.map((line) => line.id))).toBeLessThan(4);
});

test('faults are counted by class and are no part of latencies', async () => {
  const { report } = await measure(
    { fault: { every: 4, kind: 'stream-error' } },
    '--max-requests',
    '8',
    '--prompt-tokens',
    '20',
    '--output-tokens',
    '4',
    '--warmup',
    '0',
  );
  const [stage] = report.stages;
  expect(stage?.requests).toMatchObject({ measured: 8, ok: 6, failed: 2 });
  expect(stage?.errors).toMatchObject([{ outcome: 'stream-error', count: 2 }]);
  expect(stage?.ttft?.n).toBe(6);
  expect(report.warnings.join(' ')).toContain('2 of 8 requests failed');
});

test('what the drain cuts is censored: counted, warned of, and without a latency', async () => {
  const fleet = join(state, 'berth.yaml');
  const model = JSON.stringify({ ttftMs: 10, itlMs: 5, stall: { every: 3, ms: 60_000 } });
  writeFileSync(
    fleet,
    `version: 1
fleet: censored
deployments:
  truth: {engine: {kind: openai, url: ${JSON.stringify(truth.url)}, servedModel: ${JSON.stringify(model)}}}
benchmarks:
  cut: {of: truth, profile: {kind: concurrent, streams: [2]}, data: {prompt: 20, output: 4}, seconds: 1, warmup: 0, drainSeconds: 0.3, calibrate: false}
`,
  );
  const done = await berth('bench', 'cut', '-f', fleet, '--json');
  expect([0, 5], done.stderr).toContain(done.code);
  const { report } = (JSON.parse(done.stdout) as { runs: { report: Report }[] }).runs[0] as {
    report: Report;
  };
  const [stage] = report.stages;
  expect(report.spec.target).toMatchObject({ deployment: 'truth', engine: 'openai' });
  expect(stage?.requests.censored).toBe(2);
  expect(stage?.requests.failed).toBe(0);
  expect(stage?.e2e?.n).toBe(stage?.requests.ok);
  expect(report.warnings.join(' ')).toContain('2 requests were cut');
});

test('answers that are not streamed have no TTFT, not one of 0', async () => {
  const { report, folder } = await measure(
    {},
    '--no-stream',
    '--max-requests',
    '3',
    '--prompt-tokens',
    '20',
    '--output-tokens',
    '4',
  );
  expect(report.stages[0]).toMatchObject({ ttft: null, itl: null, tpot: null });
  expect(report.stages[0]?.e2e?.n).toBe(3);
  expect((await berth('report', folder, '--format', 'csv')).stdout).toContain(',,');
});

test('a run leaves its whole folder, is listed, and its page loads nothing from anywhere', async () => {
  const { folder, report } = await measure(
    {},
    '--max-requests',
    '2',
    '--prompt-tokens',
    '20',
    '--output-tokens',
    '4',
    '--key-env',
    'TRUTH_KEY',
  );
  expect(readdirSync(folder).toSorted()).toEqual([
    'records.jsonl',
    'report.csv',
    'report.html',
    'report.json',
    'report.md',
    'run.json',
    'server.jsonl',
    'stage-0.json',
  ]);
  expect(Report.parse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')))).toEqual(report);
  const runs = JSON.parse((await berth('runs', '--json')).stdout) as { id: string; state: string }[];
  expect(runs[0]).toMatchObject({ id: report.id, state: 'done' });
  const page = (await berth('report', 'last', '--format', 'html')).stdout;
  const shown = page.replace(/<script type="application\/json"[\s\S]*?<\/script>/, '');
  expect(shown).not.toMatch(/(?:src|href)=|@import|url\(|<script|<link|<iframe/);
  const text = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  expect(text).toContain('TRUTH_KEY');
  expect(text).not.toContain('sk-not-to-be-seen');
});

test('a server that is not there ends the command with code 6 and leaves no run', async () => {
  const before = (await berth('runs', '--json')).stdout;
  const done = await berth('bench', 'http://127.0.0.1:9', '--json');
  expect(done.code).toBe(6);
  expect(JSON.parse(done.stdout)).toMatchObject({ error: { code: 'BENCH_TARGET_DOWN' } });
  expect((await berth('runs', '--json')).stdout).toBe(before);
});

test('a server that refuses every request ends the run with code 6, and its records stay', async () => {
  const model = JSON.stringify({ ttftMs: 1, itlMs: 1, fault: { every: 1, kind: 'client-error' } });
  const done = await berth('bench', truth.url, '--model', model, '--max-seconds', '20', '--json');
  expect(done.code).toBe(6);
  expect(JSON.parse(done.stdout)).toMatchObject({ error: { code: 'BENCH_TARGET_DOWN' } });
});

test.each([
  [['bench', 'ftp://x'], 'over http or https'],
  [['bench', 'http://127.0.0.1:9', '--streams', '1,x'], '--streams'],
  [['bench', 'http://127.0.0.1:9', '--max-seconds', '0'], '--max-seconds'],
  [['bench', 'http://127.0.0.1:9', '--data', 'a=1'], '"a"'],
  [['report', 'no-such-run'], 'no-such-run'],
])('what was typed wrongly ends with code 2 and is named: %j', async (args, named) => {
  const done = await berth(...args);
  expect(done.code).toBe(2);
  expect(done.stderr).toMatch(new RegExp(named));
});

test('an interrupted run keeps what was measured, says so and ends with code 130', async () => {
  const model = JSON.stringify({ ttftMs: 5, itlMs: 1 });
  const args = [
    'bench',
    truth.url,
    '--model',
    model,
    '--max-seconds',
    '50',
    '--prompt-tokens',
    '20',
    '--output-tokens',
    '4',
    '--json',
  ];
  const child = spawn(process.execPath, [bin, ...args, '--state-dir', state, '--name', 'cut-short'], {
    env: process.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  await expect.poll(() => measuredIn('cut-short'), { timeout: 60_000 }).toBeGreaterThan(3);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  const { runs } = JSON.parse(stdout) as { runs: { report: Report }[] };
  const report = Report.parse(runs[0]?.report);
  expect(report.interrupted).toBe(true);
  expect(report.stages[0]?.requests.ok).toBeGreaterThan(0);
  const listed = JSON.parse((await berth('runs', '--json')).stdout) as { name: string; state: string }[];
  expect(listed.find((run) => run.name === 'cut-short')?.state).toBe('interrupted');
});

test('a run whose command was killed is still reported, out of its records', async () => {
  const model = JSON.stringify({ ttftMs: 5, itlMs: 1 });
  const args = ['bench', truth.url, '--model', model, '--max-seconds', '50', '--prompt-tokens', '20'];
  const child = spawn(
    process.execPath,
    [bin, ...args, '--output-tokens', '4', '--state-dir', state, '--name', 'killed'],
    { env: process.env, stdio: 'ignore' },
  );
  await expect.poll(() => measuredIn('killed'), { timeout: 60_000 }).toBeGreaterThan(3);
  child.kill('SIGKILL');
  const runs = JSON.parse((await berth('runs', '--json')).stdout) as {
    name: string;
    state: string;
    id: string;
  }[];
  const killed = runs.find((run) => run.name === 'killed');
  expect(killed?.state).toBe('unfinished');
  const report = Report.parse(JSON.parse((await berth('report', killed?.id ?? '', '--json')).stdout));
  expect(report.interrupted).toBe(true);
  expect(report.stages[0]?.requests.ok).toBeGreaterThan(3);
});

function measuredIn(name: string): number {
  const runs = join(state, 'data/runs');
  const folder = readdirSync(runs).find((each) => each.includes(name));
  const path = join(runs, folder ?? '', 'records.jsonl');
  return folder && existsSync(path) ? readFileSync(path, 'utf8').split('"measured"').length - 1 : 0;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { RequestRecord } from '../../../src/domain/run/record.ts';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(() => truth.close(0));
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

const quick = JSON.stringify({ ttftMs: 5, itlMs: 1 });

/** Twelve requests in three bursts; every other one begins with the same block as the first. */
const requests = Array.from({ length: 12 }, (_, i) => ({
  timestamp: 1000 + Math.floor(i / 4) * 400 + (i % 4) * 7,
  input_length: 40 + i,
  output_length: 2 + (i % 3),
  hash_ids: [i % 2 === 0 ? 1 : 100 + i, 200 + i],
}));

function trace(lines: readonly object[]): string {
  const path = join(place.folder, 'trace.jsonl');
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

const examples = join(import.meta.dirname, '../../../examples/replay');

function inOrder(records: readonly RequestRecord[]): RequestRecord[] {
  return records.toSorted((a, b) => a.scheduled - b.scheduled);
}

test('a trace is sent when it was due, to the microsecond, with prompts and answers as long as there', async () => {
  const profile = `kind=replay,file=${trace(requests)},blockTokens=32`;
  const { report, records } = await bench(place, [truth.url, '--model', quick, '--profile', profile]);
  const sent = inOrder(records);
  const begin = sent[0]?.scheduled ?? 0;
  expect(sent.map(({ scheduled }) => scheduled - begin)).toEqual(
    requests.map(({ timestamp }) => (timestamp - 1000) * 1000),
  );
  expect(sent.map(({ prompt }) => prompt.tokens)).toEqual(requests.map((each) => each.input_length));
  expect(sent.map(({ output }) => output.tokens)).toEqual(requests.map((each) => each.output_length));
  expect(
    sent.every(({ phase, started, scheduled }) => phase === 'measured' && (started ?? 0) >= scheduled - 1),
  ).toBe(true);
  expect(report.stages.map(({ label }) => label)).toEqual(['replay']);
  expect(report.stages[0]?.requests).toMatchObject({ warmup: 0, measured: 12, ok: 12 });
  expect(report.server.notes.join(' ')).toMatch(/12 requests of .*mooncake.*SHA-256/);
});

test('it can be sent faster, from a later moment, and only so many of it', async () => {
  const { records } = await bench(place, [
    truth.url,
    '--model',
    quick,
    '--replay',
    trace(requests.map((each) => ({ ...each, hash_ids: undefined }))),
    '--replay-speed',
    '4',
    '--replay-from',
    '0.4',
    '--max-requests',
    '5',
  ]);
  const sent = inOrder(records);
  const begin = sent[0]?.scheduled ?? 0;
  expect(sent.map(({ scheduled }) => scheduled - begin)).toEqual([0, 1750, 3500, 5250, 100_000]);
  expect(sent.map(({ prompt }) => prompt.tokens)).toEqual([44, 45, 46, 47, 48]);
});

test('prompts begin alike where their blocks have one name, and the same seed makes the same bytes', async () => {
  const server = await startScriptedServer();
  try {
    const path = trace(requests);
    const bodies: string[][] = [];
    for (let run = 0; run < 2; run += 1) {
      const before = server.bodies().length;
      await bench(place, [server.url, '--profile', `kind=replay,file=${path},blockTokens=32,speed=8`]);
      bodies.push(
        server
          .bodies()
          .slice(before)
          .map((body) => String(body.messages?.[0]?.content)),
      );
    }
    const [first = [], again = []] = bodies.map((each) => each.toSorted());
    expect(first).toHaveLength(12);
    expect(again).toEqual(first);
    const beginnings = first.map((text) => text.split(' ').slice(0, 30).join(' '));
    const counts = [...new Set(beginnings)].map((one) => beginnings.filter((each) => each === one).length);
    expect(counts.toSorted((a, b) => b - a)).toEqual([6, 1, 1, 1, 1, 1, 1]);
    expect(new Set(first).size).toBe(12);
  } finally {
    await server.close();
  }
});

test('two shards together send the trace, each its own half of it', async () => {
  const path = trace(requests);
  const folders: string[] = [];
  for (const shard of ['1/2', '2/2']) {
    const ran = await bench(place, [
      truth.url,
      '--model',
      quick,
      '--profile',
      `kind=replay,file=${path},blockTokens=32,speed=4`,
      '--shard',
      shard,
    ]);
    expect(inOrder(ran.records).map(({ prompt }) => prompt.tokens)).toEqual(
      requests.filter((_, i) => i % 2 === (shard === '1/2' ? 0 : 1)).map((each) => each.input_length),
    );
    folders.push(ran.folder);
  }
  const merged = await place.berth('merge', ...folders, '--json');
  expect(merged.code).toBe(0);
});

test('a benchmark of the fleet file replays too, and refuses prompts beside the trace', async () => {
  const path = trace(requests);
  function fleet(more: string): void {
    place.write(
      `version: 1\nfleet: t\ndeployments: {d: {engine: {kind: openai, url: '${truth.url}/v1', servedModel: '${quick}'}}}\n` +
        `benchmarks: {r: {of: d, profile: {kind: replay, file: '${path}', speed: 4, blockTokens: 32}${more}}}\n`,
    );
  }
  fleet('');
  const { report } = await bench(place, ['r']);
  expect(report.stages[0]?.label).toBe('replay × 4');
  expect(report.spec).toMatchObject({ cache: 'warm', warmup: { kind: 'none' }, ignoreEos: true });
  fleet(', data: {prompt: 8}');
  const refused = await place.berth('bench', 'r');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('leave out data');
});

test('a trace that is malformed is told whole, line by line, before anything is measured', async () => {
  const path = join(place.folder, 'bad.jsonl');
  writeFileSync(path, `${JSON.stringify(requests[0])}\n{"timestamp": "x"}\n\nno json\n`);
  const ran = await place.berth('bench', truth.url, '--model', quick, '--replay', path, '--no-calibrate');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(`${path}:2: timestamp`);
  expect(ran.stderr).toContain(`${path}:4: it is not JSON`);
  const missing = await place.berth('bench', truth.url, '--model', quick, '--replay', './none.jsonl');
  expect(missing.stderr).toContain('none.jsonl');
  const both = await place.berth('bench', truth.url, '--replay', path, '--rate', '5');
  expect(both.stderr).toContain('--replay is a profile of its own');
  expect(readFileSync(path, 'utf8')).toContain('no json');
});

test.each(['mooncake.jsonl', 'azure.csv', 'access.jsonl'])(
  'the example %s is a trace that is sent whole',
  async (name) => {
    const file = join(examples, name);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const sent = name === 'mooncake.jsonl' ? lines.length : lines.length - 1;
    const { report } = await bench(place, [
      truth.url,
      '--model',
      quick,
      '--replay',
      file,
      '--replay-speed',
      '10',
    ]);
    expect(report.stages[0]?.requests).toMatchObject({ measured: sent, ok: sent });
    expect(report.stages[0]?.promptTokens?.offTarget).toBe(0);
    expect(report.stages[0]?.outputTokens?.offTarget).toBe(0);
  },
);

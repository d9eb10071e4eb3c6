import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { promptText, startScriptedServer } from '../../support/scripted-server.ts';
import type { Body, ScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
let server: ScriptedServer;
beforeEach(async () => {
  place = makePlace();
  server = await startScriptedServer();
});
afterEach(async () => {
  await place.close();
  await server.close();
});

const thrice = ['--max-requests', '3', '--warmup', '0'];

function asked(bodies: readonly Body[]): [string, number | undefined][] {
  return bodies.map((body) => [promptText(body), body.max_tokens]);
}

function ascending(values: readonly (number | null | undefined)[]): number[] {
  return values.map((value) => value ?? -1).toSorted((a, b) => a - b);
}

test('a CSV file is read as spreadsheets write it, with the columns that are named', async () => {
  place.write(
    '\uFEFFid;frage;länge\r\n1;"Was heißt ""berth""?\r\nUnd; warum?";9\r\n\r\n2;Wer?;\r\n3;"Wo ist ""\r\n',
    'wrong.csv',
  );
  const columns = ['--columns', 'prompt=frage,output=länge'];
  const data = `file=wrong.csv,separator=;,output=5`;
  const wrong = await place.berth('bench', server.url, '--data', data, ...columns, ...thrice);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringMatching(/wrong\.csv:6: a quote is never closed/),
  ]);
  expect(server.bodies()).toEqual([]);

  place.write('id;frage;länge\r\n1;"Was heißt ""berth""?\r\nUnd; warum?";9\r\n\r\n2;Wer?;\r\n', 'right.csv');
  const right = data.replace('wrong', 'right');
  const run = await bench(place, [server.url, '--data', right, ...columns, ...thrice]);
  const all: [string, number][] = [
    ['Was heißt "berth"?\r\nUnd; warum?', 9],
    ['Wer?', 5],
  ];
  expect(asked(server.bodies())).toEqual([...all, all[0]]);
  expect(run.report.server.notes.join(' ')).toMatch(/2 prompts of .*right\.csv \(SHA-256 [0-9a-f]{64}\)/);
});

test('every fault of a file is told with its line before anything is measured', async () => {
  place.write('prompt\tmax_tokens\none\t0\ntwo\nthree\tmany\n\t4\n', 'p.tsv');
  const ran = await place.berth('bench', server.url, '--data', 'p.tsv', ...thrice);
  expect(ran.code).toBe(2);
  for (const text of [
    'p.tsv:2: its output tokens are no whole number',
    'p.tsv:3: it has 1 cells, and there are 2 columns',
    'p.tsv:4: its output tokens',
    'p.tsv:5: it has no prompt',
    '--columns prompt=NAME',
  ])
    expect(ran.stderr).toContain(text);
  const column = await place.berth(
    'bench',
    server.url,
    '--data',
    'p.tsv',
    '--columns',
    'prompt=text',
    ...thrice,
  );
  expect([column.code, column.stderr]).toEqual([2, expect.stringContaining('it has no column "text"')]);
  const noFile = await place.berth('bench', server.url, '--columns', 'prompt=text');
  expect([noFile.code, noFile.stderr]).toEqual([2, expect.stringContaining('--data')]);
  expect(server.bodies()).toEqual([]);
});

test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD'] as const)(
  'a Parquet file is read, %s, its lists of messages too',
  async (codec) => {
    const content = parquetWriteBuffer({
      codec,
      compressors: { GZIP: (bytes) => gzipSync(bytes), ZSTD: (bytes) => zstdCompressSync(bytes) },
      columnData: [
        { name: 'unused', data: ['x', 'y', 'z'], type: 'STRING' },
        {
          name: 'messages',
          data: ['eins', 'zwei', 'drei'].map((text) => [{ role: 'user', content: text }]),
          type: 'JSON',
        },
        { name: 'max_tokens', data: [3n, 4n, 5n], type: 'INT64' },
      ],
    });
    writeFileSync(join(place.folder, 'p.parquet'), new Uint8Array(content));
    await bench(place, [server.url, '--data', 'file=p.parquet,rows=2', ...thrice]);
    expect(asked(server.bodies())).toEqual([
      ['eins', 3],
      ['zwei', 4],
      ['eins', 3],
    ]);
  },
);

test('what is no Parquet file is refused', async () => {
  place.write('PAR1, or so it says', 'p.parquet');
  const ran = await place.berth('bench', server.url, '--data', 'p.parquet');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('no Parquet file that can be read')]);
  const none = await place.berth('bench', server.url, '--data', 'none.parquet');
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('none.parquet')]);
});

test('texts to embed and documents to rank come from a file, and only for what takes them', async () => {
  place.write('{"input":["a b","c"]}\n{"input":"d"}\n', 'embed.jsonl');
  place.write('query,documents\nwhat,"[""one"", {""text"": ""two""}]"\n', 'rank.csv');
  const run = await bench(place, [
    server.url,
    '--endpoint',
    'embeddings',
    '--data',
    'embed.jsonl',
    ...thrice,
  ]);
  expect(
    server
      .bodies('/v1/embeddings')
      .slice(-3)
      .map(({ input }) => input),
  ).toEqual([['a b', 'c'], ['d'], ['a b', 'c']]);
  expect(ascending(run.records.map(({ inputs }) => inputs))).toEqual([1, 2, 2]);
  await bench(place, [server.url, '--endpoint', 'rerank', '--data', 'rank.csv', ...thrice]);
  const last = server.bodies('/v1/rerank').at(-1);
  expect(last).toMatchObject({ query: 'what', documents: ['one', 'two'] });

  for (const [file, endpoint, what] of [
    ['embed.jsonl', 'chat', 'texts to embed'],
    ['rank.csv', 'embeddings', 'documents to rank'],
  ] as const) {
    const ran = await place.berth('bench', server.url, '--endpoint', endpoint, '--data', file);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(what)]);
  }
});

const talks = [
  {
    id: 'a',
    conversations: [
      { from: 'gpt', value: 'the end of something' },
      { from: 'human', value: 'a first' },
      { from: 'gpt', value: 'one two three' },
      { from: 'human', value: 'a second' },
      { from: 'gpt', value: 'one two' },
      { from: 'human', value: 'never answered' },
    ],
  },
  {
    id: 'tool',
    conversations: [
      { from: 'human', value: 'x' },
      { from: 'tool', value: 'y' },
    ],
  },
  {
    id: 'b',
    messages: [
      { role: 'system', content: 'Be kind' },
      { role: 'user', content: 'b first' },
      { role: 'assistant', content: 'one two three four' },
    ],
  },
];

test('conversations of ShareGPT are prompts with answers as long as those of the file', async () => {
  place.write(JSON.stringify(talks), 'talks.json');
  const run = await bench(place, [server.url, '--data', 'talks.json', ...thrice]);
  const sent = asked(server.bodies());
  // Drawn by the seed: in either order, and then the first once more.
  expect(sent.slice(0, 2).toSorted(([a], [b]) => (b > a ? -1 : 1))).toEqual([
    ['Be kind b first', 4],
    ['a first', 3],
  ]);
  expect(sent[2]).toEqual(sent[0]);
  expect(run.report.server.notes.join(' ')).toMatch(/1 entries of the file were left out/);
  const rows = await place.berth('bench', server.url, '--data', 'kind=jsonl,file=talks.json');
  expect([rows.code, rows.stderr]).toEqual([2, expect.stringContaining('kind=sharegpt')]);
});

test('conversations of ShareGPT are held turn by turn, with the own turns of each and the answers of the server', async () => {
  place.write(talks.map((talk) => `${JSON.stringify(talk)}\n`).join(''), 'talks.jsonl');
  const data = ['--data', 'kind=sharegpt,file=talks.jsonl'];
  const run = await bench(place, [server.url, ...data, '--sessions', '1', '--think', '0', ...thrice]);
  const chats = server.bodies().map(({ messages }) => messages as { role: string; content: string }[]);
  const byFirst = chats.toSorted((a, b) => a.length - b.length);
  expect(byFirst.map((messages) => messages.map(({ content }) => content))).toEqual(
    expect.arrayContaining([['a first'], ['Be kind', 'b first'], ['a first', 'w0 w1 w2', 'a second']]),
  );
  expect(ascending(server.bodies().map(({ max_tokens: tokens }) => tokens))).toEqual([2, 3, 4]);
  expect(ascending(run.records.map(({ session }) => session?.turn))).toEqual([0, 0, 1]);
});

test('a conversation is cut to the context that is there, and one whose first turn does not fit is left out', async () => {
  place.write(JSON.stringify(talks), 'talks.json');
  // "a first" and its answer are five words; "Be kind", "b first" and its answer eight.
  const run = await bench(place, [
    server.url,
    '--data',
    'kind=sharegpt,file=talks.json,context=7',
    '--sessions',
    '1',
    '--think',
    '0',
    ...thrice,
  ]);
  expect(asked(server.bodies())).toEqual(Array(3).fill(['a first', 3]));
  expect(run.report.server.notes.join(' ')).toContain('1 conversations were left out');
});

import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RequestRecord } from '../../domain/run/record.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import { localFiles } from '../../io/files.ts';
import { seededRandom } from '../../stats/random.ts';
import { stageReport } from '../analyse/stage-report.ts';
import { makeSpec } from '../run/make-spec.ts';
import { createRecordWriter, readRecords, readRows } from '../report/record-file.ts';
import type { RecordForm } from '../report/record-file.ts';
import { mendTails, setAside } from '../run/resume.ts';
import { columnsPath } from './column-file.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'berth-columns-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

/** Requests of every kind there is: good ones, failed ones, turns of conversations, gaps of over an hour. */
function requests(count: number, stage = 0): RequestRecord[] {
  const random = seededRandom(count, stage);
  return Array.from({ length: count }, (_, id) => {
    const scheduled = id * 1000 + random.below(500);
    const gaps = Array.from({ length: id % 7 }, () => 10_000 + random.below(5000));
    if (id % 50 === 3) gaps.push(2 ** 32 + 5);
    const firstToken = scheduled + 20_000;
    const last = firstToken + gaps.reduce((sum, gap) => sum + gap, 0);
    const failed = id % 11 === 5;
    const times = failed ? { firstToken: null, firstContent: null, last: null } : { firstToken, last };
    return RequestRecord.parse({
      schema: runSchema,
      id,
      stage,
      phase: id < 4 ? 'warmup' : 'measured',
      stream: id % 4,
      ...(id % 3 === 0 && { session: { number: id, turn: id % 5 } }),
      scheduled,
      started: scheduled + 3,
      connected: failed ? null : scheduled + 9,
      sent: scheduled + 12,
      headers: scheduled + 15_000,
      firstByte: firstToken - 10,
      firstContent: firstToken,
      ...times,
      done: last + 5,
      gaps: failed ? [] : gaps,
      events: failed ? 0 : gaps.length + 1,
      status: failed ? 500 : 200,
      responseId: id % 2 === 0 ? `answer-${id}` : null,
      outcome: failed ? 'server-error' : 'ok',
      error: failed ? `HTTP 500: "no"\nline ${id}` : null,
      finish: failed ? null : 'length',
      prompt: { asked: 8, tokens: 9 + (id % 3), source: 'usage' },
      output: { asked: null, tokens: failed ? null : gaps.length + 1, source: failed ? null : 'events' },
      reasoning: id % 9 === 0 ? { tokens: 2, source: 'usage' } : null,
      cached: id % 4 === 0 ? id : null,
      inputs: id % 8 === 1 ? 2 : null,
      server: id % 5 === 0 ? { promptMs: 1.5, outputMs: null } : null,
      text: id % 6 === 0 ? 'wörd\nand "another"' : null,
    });
  });
}

async function written(path: string, form: RecordForm, records: readonly RequestRecord[]): Promise<void> {
  const writer = createRecordWriter(localFiles, path, form);
  records.forEach(writer.push);
  await writer.flush();
  await writer.close();
}

test('records come out of columns as they went in, in one block or a block for each', async () => {
  const together = folder();
  const records = requests(6000);
  await written(together, 'columns', records);
  expect(await readRecords(localFiles, together)).toEqual(records);
  const apart = folder();
  for (const record of records.slice(0, 700)) await written(apart, 'columns', [record]);
  expect(await readRecords(localFiles, apart)).toEqual(records.slice(0, 700));
});

test('a report made of columns is that made of lines', async () => {
  const target = { url: 'http://127.0.0.1:1', api: 'chat', model: null, key: null } as const;
  const none = { tokenizer: null, metrics: null, gpuMetrics: null, deployment: null, engine: null };
  const spec = makeSpec(
    'x',
    { profile: { kind: 'concurrent', streams: [4] } as never, slo: { ttft: 50 } },
    { ...target, ...none },
  );
  const facts = {
    index: 0,
    strategy: { kind: 'closed', streams: 4 },
    spec,
    client: { loopDelayP99Ms: 1, cpuShare: 0.1 },
    engine: null,
    samples: [],
    dropped: null,
    seams: [],
    stopped: null,
  } as const;
  const [lines, columns] = [folder(), folder()];
  await written(lines, 'lines', requests(2000));
  await written(columns, 'columns', requests(2000));
  const report = stageReport(facts, await readRows(localFiles, columns));
  expect(report.errors).toEqual([{ outcome: 'server-error', count: 182, example: 'HTTP 500: "no"\nline 5' }]);
  expect(report).toEqual(stageReport(facts, await readRows(localFiles, lines)));
});

test('a last block that a crash has cut is left out, and taken off before more is written', async () => {
  const run = folder();
  const path = columnsPath(run);
  const records = requests(40);
  await written(run, 'columns', records.slice(0, 20));
  const whole = statSync(path).size;
  await written(run, 'columns', records.slice(20));
  for (const cut of [1, 40, statSync(path).size - whole - 3]) {
    const torn = folder();
    writeFileSync(columnsPath(torn), readFileSync(path));
    truncateSync(columnsPath(torn), statSync(path).size - cut);
    expect(await readRecords(localFiles, torn)).toEqual(records.slice(0, 20));
    await mendTails(localFiles, torn);
    expect(statSync(columnsPath(torn)).size).toBe(whole);
    await written(torn, 'columns', records.slice(20));
    expect(await readRecords(localFiles, torn)).toEqual(records);
  }
});

test('what is no block is told, with its place, and not taken for the end', async () => {
  const run = folder();
  await written(run, 'columns', requests(10));
  const whole = statSync(columnsPath(run)).size;
  appendFileSync(columnsPath(run), Buffer.alloc(64));
  await expect(readRecords(localFiles, run)).rejects.toThrow(`no block of records at byte ${whole}`);
  writeFileSync(columnsPath(run), 'something else altogether');
  await expect(readRecords(localFiles, run)).rejects.toThrow('no file of records of this version');
});

test('a stage that is measured anew leaves the columns of those before it, and lies aside as lines', async () => {
  const run = folder();
  await written(run, 'columns', requests(30, 0));
  await written(run, 'columns', requests(20, 1));
  await setAside(localFiles, run, 1);
  expect(await readRecords(localFiles, run)).toEqual(requests(30, 0));
  expect(readFileSync(join(run, 'set-aside.jsonl'), 'utf8').trim().split('\n')).toHaveLength(20);
  await written(run, 'columns', requests(5, 1));
  expect(await readRecords(localFiles, run)).toHaveLength(35);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RequestRecord } from '../../../src/domain/run/record.ts';
import { Report } from '../../../src/domain/run/report.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place, Ran } from '../../support/berth.ts';
import { startScriptedEngine } from '../../support/scripted-engine.ts';
import type { ScriptedEngine } from '../../support/scripted-engine.ts';

let place: Place;
let engine: ScriptedEngine;
beforeEach(async () => {
  engine = await startScriptedEngine();
  place = makePlace();
});
afterEach(async () => {
  await place.close();
  await engine.close();
});

const load = ['--prompt-tokens', '12', '--output-tokens', '4', '--no-calibrate', '--seed', '4', '--json'];

interface Measured {
  readonly folder: string;
  readonly report: Report;
  readonly records: RequestRecord[];
}

function measured(ran: Ran, result: { folder: string; report: unknown } | undefined): Measured {
  expect([0, 5], ran.stderr).toContain(ran.code);
  const folder = result?.folder ?? '';
  const lines = readFileSync(join(folder, 'records.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line) => RequestRecord.parse(JSON.parse(line)));
  return { folder, report: Report.parse(result?.report), records };
}

async function shards(of: number, ...args: string[]): Promise<Measured[]> {
  const startAt = new Date(Date.now() + 6000).toISOString();
  const runs = Array.from({ length: of }, async (_, i) => {
    const own = ['--shard', `${i + 1}/${of}`, '--start-at', startAt];
    const ran = await place.berth('bench', engine.url, ...load, ...own, ...args);
    return measured(ran, (ran.json() as { runs: { folder: string; report: unknown }[] }).runs[0]);
  });
  return Promise.all(runs);
}

async function merge(parts: readonly Measured[]): Promise<Measured> {
  const ran = await place.berth('merge', ...parts.map(({ folder }) => folder), '--json');
  return measured(ran, ran.json());
}

/** Prompts as they were sent, those of the questions before a run left out. */
function prompts(): string[] {
  return engine.bodies.filter((body) => (JSON.parse(body) as { stream?: boolean }).stream === true);
}

test('shards of an open loop are together the very schedule and prompts of one client', async () => {
  const rate = ['--profile', 'poisson', '--rate', '40', '--max-requests', '60', '--warmup', '4'];
  const one = await place.berth('bench', engine.url, ...load, ...rate);
  const whole = measured(one, (one.json() as { runs: { folder: string; report: unknown }[] }).runs[0]);
  const asked = prompts().toSorted();
  const before = asked.length;
  const parts = await shards(3, ...rate);
  expect(prompts().slice(before).toSorted()).toEqual(asked);
  const merged = await merge(parts);
  expect(merged.report.stages[0]?.requests).toEqual(whole.report.stages[0]?.requests);
  expect(merged.records.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(
    whole.records.map(({ id }) => id).toSorted((a, b) => a - b),
  );
  const counts = parts.map(({ records }) => records.length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});

test('merged records keep every latency, lie on one clock, and the note says how far apart the clients began', async () => {
  const parts = await shards(2, '--streams', '3', '--max-seconds', '3');
  expect(parts.map(({ report }) => report.stages[0]?.label)).toEqual(['2 streams', '1 stream']);
  const { report, records } = await merge(parts);
  const [stage] = report.stages;
  expect(stage?.label).toBe('3 streams');
  expect(report.spec.shard).toBeUndefined();
  expect(new Set(records.map(({ stream }) => stream)).size).toBe(3);
  expect(records).toHaveLength(parts.reduce((sum, part) => sum + part.records.length, 0));
  expect(stage?.requests.ok).toBe(
    parts.reduce((sum, part) => sum + (part.report.stages[0]?.requests.ok ?? 0), 0),
  );
  function waits(all: readonly RequestRecord[]): number[] {
    return all.map(({ firstToken, sent }) => (firstToken ?? 0) - (sent ?? 0)).toSorted((a, b) => a - b);
  }
  expect(waits(records)).toEqual(waits(parts.flatMap((part) => part.records)));
  const origins = parts.map((part) => Date.parse(part.report.originAt ?? ''));
  const shift = Math.abs((origins[0] ?? 0) - (origins[1] ?? 0)) * 1000;
  const [first, second] = parts.map((part) => Math.min(...part.records.map(({ scheduled }) => scheduled)));
  const earliest = Math.min(...records.map(({ scheduled }) => scheduled));
  const late =
    (origins[0] ?? 0) <= (origins[1] ?? 0) ? [first, (second ?? 0) + shift] : [(first ?? 0) + shift, second];
  expect(Math.abs(earliest - Math.min(...(late as number[])))).toBeLessThanOrEqual(1);
  // The window lies where both were in theirs.
  expect(stage?.window).not.toBeNull();
  expect(report.warnings.join(' ')).toContain('2 clients made this run');
});

test('shards that do not make one run are refused, each with its reason', async () => {
  const parts = await shards(2, '--streams', '2', '--max-requests', '4');
  const [one, two] = parts as [Measured, Measured];
  const half = await place.berth('merge', one.folder);
  expect(half.code).toBe(2);
  expect(half.stderr).toContain('a whole run is the shards 1, 2');
  expect((await place.berth('merge', one.folder, one.folder)).code).toBe(2);
  const ran = await place.berth(
    'bench',
    engine.url,
    ...load,
    '--shard',
    '2/2',
    '--streams',
    '4',
    '--max-requests',
    '4',
  );
  const other = measured(ran, (ran.json() as { runs: { folder: string; report: unknown }[] }).runs[0]);
  const mixed = await place.berth('merge', one.folder, other.folder);
  expect(mixed.stderr).toContain('was asked for something else');
  expect((await place.berth('merge', two.folder, one.folder)).code).toBe(0);
});

test.each([
  [['--shard', '3/2'], 'such as 1/3'],
  [['--shard', 'one'], 'such as 1/3'],
  [['--start-at', '2026-01-01T00:00:00Z'], 'say --shard too'],
  [['--shard', '1/2', '--start-at', 'soon'], '--start-at wants a time'],
])('what was typed wrongly is refused: %j', async (args, named) => {
  const ran = await place.berth('bench', engine.url, ...args);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(named);
});

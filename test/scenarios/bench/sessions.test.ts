import { readFileSync } from 'node:fs';
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

const quick = ['--prompt-tokens', '10', '--output-tokens', '3'] as const;

function model(more: object = {}): string[] {
  return ['--model', JSON.stringify({ ttftMs: 5, itlMs: 1, ...more })];
}

function bySession(records: readonly RequestRecord[]): RequestRecord[][] {
  const groups = new Map<number, RequestRecord[]>();
  for (const record of records.toSorted((a, b) => a.scheduled - b.scheduled)) {
    const number = record.session?.number ?? -1;
    groups.set(number, [...(groups.get(number) ?? []), record]);
  }
  return [...groups.values()];
}

test('each turn has all that was said before it, with the answers that the server really gave', async () => {
  const server = await startScriptedServer({ answer: (_body, number) => [`answer-${number}`, 'so'] });
  try {
    const { records } = await bench(place, [
      server.url,
      ...quick,
      '--profile',
      'kind=sessions,sessions=1,turns=3,think=0.02,system=Be brief',
      '--warmup',
      '0',
      '--max-requests',
      '6',
    ]);
    expect(records).toHaveLength(6);
    const chats = server.bodies().map((body) => body.messages as { role: string; content: string }[]);
    const roles = chats.map((messages) => messages.map(({ role }) => role).join(' '));
    expect(roles.toSorted((a, b) => a.length - b.length)).toEqual([
      ...Array(2).fill('system user'),
      ...Array(2).fill('system user assistant user'),
      ...Array(2).fill('system user assistant user assistant user'),
    ]);
    for (const messages of chats) {
      expect(messages[0]?.content).toBe('Be brief');
      // The beginning of every later turn is what an earlier one was, and the answer to that.
      if (messages.length === 2) continue;
      const earlier = chats.find((other) => JSON.stringify(other) === JSON.stringify(messages.slice(0, -2)));
      expect(earlier).toBeDefined();
      expect(messages.at(-2)?.content).toMatch(/^answer-\d+ ?so/);
    }
    const said = chats.flatMap((messages) => messages.at(-1)?.content ?? '');
    expect(new Set(said).size).toBe(6);
    expect(records.every(({ text }) => text === null)).toBe(true);
  } finally {
    await server.close();
  }
});

test('turns are due when their user has thought, in order, and the report has a row for each', async () => {
  const { report, records } = await bench(place, [
    truth.url,
    ...model(),
    ...quick,
    '--sessions',
    '3',
    '--turns',
    '4',
    '--think',
    '0.05',
    '--max-requests',
    '24',
    '--warmup',
    '3',
  ]);
  for (const turns of bySession(records)) {
    expect(turns.map(({ session }) => session?.turn)).toEqual(turns.map((_, i) => i));
    for (const [i, { scheduled, started }] of turns.entries()) {
      const due = i === 0 ? scheduled : (turns[i - 1]?.done ?? 0) + 50_000;
      expect(scheduled).toBe(due);
      expect(started).toBeGreaterThanOrEqual(scheduled);
    }
    // Ten tokens a turn, the template among them once, and three of each answer before it.
    for (const [i, { prompt }] of turns.entries()) expect(prompt.tokens).toBe(10 + i * (10 - 5 + 3));
  }
  const [stage] = report.stages;
  expect(stage).toMatchObject({ label: '3 sessions', requests: { warmup: 3, measured: 24, ok: 24 } });
  expect(stage?.conversations?.turns.map(({ turn }) => turn)).toEqual([1, 2, 3, 4]);
  expect(stage?.conversations?.turns.reduce((sum, { ok }) => sum + ok, 0)).toBe(24);
  expect(stage?.conversations?.turns[1]?.promptTokens).toBe(18);
  expect(stage?.window).not.toBeNull();
  expect(report.spec.cache).toBe('warm');
});

test('the same seed holds the same conversations, and others begin at a rate', async () => {
  const plans: [number, unknown[]][][] = [];
  for (let run = 0; run < 2; run += 1) {
    const { records, report } = await bench(place, [
      truth.url,
      ...model(),
      ...quick,
      '--seed',
      '5',
      '--profile',
      'kind=sessions,rates=[40],turns={min:1,max:4},think={mean:0.04,distribution:"exponential"}',
      '--max-seconds',
      '1',
      '--warmup',
      '4',
    ]);
    expect(report.stages[0]?.label).toBe('40 sessions/s');
    expect(report.stages[0]?.openLoop?.dropped).toBe(0);
    const sessions = bySession(records).filter(([first]) => first?.session?.turn === 0);
    expect(sessions.length).toBeGreaterThan(20);
    plans.push(
      sessions.map((turns) => [
        turns[0]?.session?.number ?? -1,
        // When each turn was due, from the end of the one before it.
        turns.map(({ scheduled }, i) => (i === 0 ? 0 : scheduled - (turns[i - 1]?.done ?? 0))),
      ]),
    );
  }
  // How far a conversation came by the end of the time is the machine's doing.
  const second = new Map(plans[1]);
  const pairs = (plans[0] ?? []).flatMap(([number, turns]) => {
    const again = second.get(number) ?? [];
    const both = Math.min(turns.length, again.length);
    return both === 0 ? [] : [[turns.slice(0, both), again.slice(0, both)] as const];
  });
  expect(pairs.length).toBeGreaterThan(10);
  expect(pairs.some(([turns]) => turns.length > 1)).toBe(true);
  expect(pairs.map(([turns]) => turns)).toEqual(pairs.map(([, again]) => again));
});

test('a turn that fails ends its conversation and not the run', async () => {
  const { report, records } = await bench(place, [
    truth.url,
    ...model({ fault: { every: 5, kind: 'server-error' } }),
    ...quick,
    '--sessions',
    '2',
    '--turns',
    '3',
    '--think',
    '0',
    '--max-requests',
    '20',
    '--warmup',
    '0',
  ]);
  const failed = records.filter(({ outcome }) => outcome === 'server-error');
  expect(failed.length).toBeGreaterThan(2);
  expect(report.stages[0]?.conversations?.broken).toBe(failed.length);
  for (const { session } of failed)
    expect(
      records.filter(
        (other) =>
          other.session?.number === session?.number &&
          other.session &&
          session &&
          other.session.turn > session.turn,
      ),
    ).toEqual([]);
});

test('at the limit in seconds nobody who thinks is waited for', async () => {
  const { report } = await bench(place, [
    truth.url,
    ...model(),
    ...quick,
    '--sessions',
    '2',
    '--turns',
    '3',
    '--think',
    '600',
    '--max-seconds',
    '1',
    '--warmup',
    '0',
  ]);
  expect(report.stages[0]?.requests).toMatchObject({ measured: 2, ok: 2, censored: 0 });
  expect(report.stages[0]?.stopped).toBeNull();
});

test('two shards hold the conversations of one run between them, and merge into it', async () => {
  const folders: string[] = [];
  for (const shard of ['1/2', '2/2']) {
    const ran = await bench(place, [
      truth.url,
      ...model(),
      ...quick,
      '--sessions',
      '2',
      '--turns',
      '2',
      '--think',
      '0.02',
      '--max-requests',
      '8',
      '--warmup',
      '0',
      '--shard',
      shard,
    ]);
    folders.push(ran.folder);
  }
  const merged = await place.berth('merge', ...folders, '--json');
  expect(merged.code).toBe(0);
  const { folder } = merged.json() as { folder: string };
  const records = readFileSync(join(folder, 'records.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RequestRecord);
  expect(new Set(records.map(({ session }) => session?.number)).size).toBe(4);
});

test('what does not go with conversations is refused', async () => {
  const neither = await place.berth('bench', truth.url, '--profile', 'sessions');
  expect(neither.stderr).toContain('sessions (so many at once) or rates');
  const think = await place.berth('bench', truth.url, '--think', '3');
  expect(think.stderr).toContain('--think belongs to the profile sessions');
  const system = await place.berth(
    'bench',
    truth.url,
    '--profile',
    'kind=sessions,sessions=1,system=40',
    '--data',
    'p.jsonl',
  );
  expect(system.stderr).toContain('give its text');
});

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { Report } from '../../../src/domain/run/report.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

let truth: TruthServer;
let place: Place;
let folder: string;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
  place = makePlace();
  const ran = await place.berth(
    'bench',
    truth.url,
    '--model',
    'truth',
    '--max-requests',
    '5',
    '--no-calibrate',
    '--json',
  );
  const { runs } = ran.json() as { runs: { folder: string }[] };
  folder = runs[0]?.folder ?? '';
});
afterAll(async () => {
  await place.close();
  await truth.close(0);
});

/** The measured run once more, a day later each and so many times slower to answer. */
function repeat(day: number, slower: number): void {
  const id = `2027010${day}T000000Z_copy_00000${day}`;
  const copy = join(folder, '..', id);
  mkdirSync(copy);
  for (const name of ['run.json', 'report.json', 'records.jsonl'].filter((each) =>
    readdirSync(folder).includes(each),
  )) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (!name.endsWith('.json')) continue;
    const startedAt = `2027-01-0${day}T00:00:00.000Z`;
    const value = { ...(JSON.parse(text) as Report), id, startedAt };
    if (name === 'report.json') {
      value.clientLimited = false;
      for (const { ttft, client } of value.stages) {
        // A busy machine must not have its say in what is judged here.
        client.limited = false;
        if (ttft) ttft.p50 *= slower;
      }
    }
    writeFileSync(join(copy, name), JSON.stringify(value));
  }
}

interface Judged {
  baseline: string[];
  figures: { metric: string; verdict: string }[];
}

test('a run is held against the earlier ones of the same: worse once is suspect, twice is exit code 4', async () => {
  const alone = await place.berth('compare', folder, '--history');
  expect(alone.stdout).toContain('two earlier runs of the same are the least');
  for (const [day, slower] of [
    [1, 1],
    [2, 1.01],
    [3, 0.99],
    [4, 1.005],
    [5, 1],
    [6, 1],
    [7, 1.5],
  ] as const)
    repeat(day, slower);
  const once = await place.berth('compare', 'last', '--history');
  expect(once.code).toBe(0);
  expect(once.stdout).toMatch(/1 stream +TTFT p50, ms .*suspect/);
  expect(once.stdout).toContain('berth bench --again last');
  repeat(8, 1.5);
  const twice = await place.berth('compare', 'last', '--history', '--json');
  expect(twice.code).toBe(4);
  const { baseline, figures } = twice.json() as Judged;
  expect(baseline.length).toBeGreaterThanOrEqual(6);
  expect(figures.find(({ metric }) => metric === 'TTFT p50')?.verdict).toBe('regression');
  expect(figures.find(({ metric }) => metric === 'TTFT p95')?.verdict).toBe('usual');
});

test('a history is of one run', async () => {
  const two = await place.berth('compare', 'last', 'last~1', '--history');
  expect(two.code).toBe(2);
  expect((await place.berth('compare', 'last')).stderr).toContain('Name the runs to hold against the first');
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readRecords } from '../../../src/bench/report/record-file.ts';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { RequestRecord } from '../../../src/domain/run/record.ts';
import type { Report } from '../../../src/domain/run/report.ts';
import { localFiles } from '../../../src/io/files.ts';
import { makePlace, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(() => truth.close(0));
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

const model = JSON.stringify({ ttftMs: 5, itlMs: 1 });
const load = ['--prompt-tokens', '10', '--output-tokens', '4', '--warmup', '1', '--no-calibrate'];

function benchArgs(...args: string[]): string[] {
  return ['bench', truth.url, '--model', model, '--streams', '2', '--records', 'columns', ...load, ...args];
}

function folders(): string[] {
  const runs = join(place.folder, 'state/data/runs');
  return (existsSync(runs) ? readdirSync(runs) : []).toSorted().map((name) => join(runs, name));
}

async function recordsOf(folder = folders()[0] ?? ''): Promise<RequestRecord[]> {
  return existsSync(join(folder, 'records.columns')) ? readRecords(localFiles, folder) : [];
}

test('a run keeps its records in columns, and reports, comparisons and exports read them', async () => {
  const ran = await place.berth(...benchArgs('--max-requests', '60', '--json'));
  expect([0, 5], ran.stderr).toContain(ran.code);
  const [folder = ''] = folders();
  expect(readdirSync(folder)).not.toContain('records.jsonl');
  const records = await recordsOf();
  expect(records.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThanOrEqual(60);
  const exported = await place.berth('report', 'last', '--format', 'jsonl');
  const lines = exported.stdout.trim().split('\n');
  expect(lines.map((line) => RequestRecord.parse(JSON.parse(line)))).toEqual(records);
  for (const format of ['guidellm', 'parquet', 'html']) {
    const out = join(place.folder, `out.${format}`);
    expect((await place.berth('report', 'last', '--format', format, '--out', out)).code).toBe(0);
    expect(readFileSync(out).length).toBeGreaterThan(1000);
  }
  expect((await place.berth('compare', 'last', 'last')).stdout).toContain('TTFT');
});

test('after kill -9 the columns have every request that had ended, and the run goes on in them', async () => {
  const asked = truth.state.requests;
  const running = place.spawn(...benchArgs('--max-requests', '300'));
  await until(() => (truth.state.requests > asked + 120 ? true : undefined), 'some requests');
  const worker = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .find((pid) => {
      try {
        const told = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return told.includes('bench-worker') && environ.includes(`BERTH_STATE_DIR=${place.folder}`);
      } catch {
        return false;
      }
    });
  process.kill(Number(worker), 'SIGKILL');
  await running.exited;
  const before = await recordsOf();
  // Two in flight, two that ended in the very turn of the kill, and what the preflight asked.
  expect(truth.state.requests - asked - before.length).toBeLessThanOrEqual(8);
  const told = await place.berth('report', 'last', '--json');
  expect((told.json() as Report).stages[0]?.requests.measured).toBe(before.length - 2);
  const resumed = await place.berth('bench', '--resume', 'last', '--json');
  expect([0, 5], resumed.stderr).toContain(resumed.code);
  const after = await recordsOf();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.filter(({ phase }) => phase === 'measured').length).toBeGreaterThanOrEqual(300);
  expect(new Set(after.map(({ id }) => id)).size).toBe(after.length);
});

test('shards in columns are merged into columns', async () => {
  for (const shard of ['1/2', '2/2']) {
    const ran = await place.berth(...benchArgs('--max-requests', '40', '--shard', shard, '--json'));
    expect([0, 5], ran.stderr).toContain(ran.code);
  }
  const parts = await Promise.all(folders().map((folder) => recordsOf(folder)));
  const merged = await place.berth('merge', ...folders(), '--json');
  expect([0, 5], merged.stderr).toContain(merged.code);
  const whole = folders().find(
    (folder) => !readFileSync(join(folder, 'run.json'), 'utf8').includes('"shard"'),
  );
  expect(await recordsOf(whole)).toHaveLength(parts.flat().length);
});

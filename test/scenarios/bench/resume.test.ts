import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { RequestRecord } from '../../../src/domain/run/record.ts';
import { Report } from '../../../src/domain/run/report.ts';
import { isRunning, makePlace, until } from '../../support/berth.ts';
import type { Place, Running } from '../../support/berth.ts';

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(() => truth.close(0));
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

const model = JSON.stringify({ ttftMs: 5, itlMs: 1 });

function begin(...args: string[]): Running {
  const load = ['--prompt-tokens', '10', '--output-tokens', '4', '--warmup', '1', '--no-calibrate'];
  return place.spawn('bench', truth.url, '--model', model, ...load, ...args);
}

function folder(): string {
  const runs = join(place.folder, 'state/data/runs');
  return join(runs, (existsSync(runs) ? readdirSync(runs) : [])[0] ?? '');
}

/** The whole lines of a file that may be written to at this moment. */
function linesOf(name = 'records.jsonl'): string[] {
  const path = join(folder(), name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

function recordsOf(): RequestRecord[] {
  return linesOf().map((line) => RequestRecord.parse(JSON.parse(line)));
}

/** Every process that was started with this place's folder for its state: the command, load generator, watcher, pacer. */
function processesOf(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return Number.isInteger(pid) && environ.includes(`BERTH_STATE_DIR=${place.folder}`);
      } catch {
        return false;
      }
    });
}

async function kill(running: Running): Promise<void> {
  const pids = processesOf();
  expect(pids.length).toBeGreaterThanOrEqual(3);
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  await running.exited;
  await until(() => pids.every((pid) => !isRunning(pid)), 'the end of all processes');
}

async function resume(): Promise<Report> {
  const ran = await place.berth('bench', '--resume', 'last', '--json');
  expect([0, 5], ran.stderr).toContain(ran.code);
  const [run] = (ran.json() as { runs: { report: unknown }[] }).runs;
  return Report.parse(run?.report);
}

test('after kill -9 of every process a run goes on at its stage, with all records that were written', async () => {
  const running = begin('--streams', '1,2,3', '--max-requests', '200');
  await until(() => recordsOf().filter(({ stage }) => stage === 1).length > 20, 'the second stage');
  await kill(running);
  const before = recordsOf();
  const stage = before.at(-1)?.stage ?? 0;
  // What a crash in the middle of a write leaves behind.
  appendFileSync(join(folder(), 'records.jsonl'), '{"schema":1,"id":77,"st');
  const listed = JSON.parse((await place.berth('runs', '--json')).stdout) as { state: string }[];
  expect(listed[0]?.state).toBe('unfinished');

  const report = await resume();
  const after = recordsOf();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(report.stages.map(({ label }) => label)).toEqual(['1 stream', '2 streams', '3 streams']);
  // Each stage has what was asked for, but for streams that sent their last one at the same time.
  for (const { requests } of report.stages) expect(requests.ok).toBeGreaterThanOrEqual(200);
  for (const { requests } of report.stages) expect(requests.ok).toBeLessThan(210);
  expect(new Set(after.map(({ id }) => id)).size).toBe(after.length);
  // The run's clock goes on, so no record of the second part comes before one of the first.
  const last = Math.max(...before.map(({ done }) => done));
  for (const { scheduled } of after.slice(before.length)) expect(scheduled).toBeGreaterThanOrEqual(last);
  expect(report).toMatchObject({ interrupted: false, unfinished: false, resumed: [{ stage }] });
  expect(report.warnings.join(' ')).toContain('The run was resumed at');
  const { window, windows = [], steady, requests } = report.stages[stage] as Report['stages'][number];
  expect(window).not.toBeNull();
  const seam = report.resumed[0];
  for (const { start, end } of [...windows, ...(window ? [window] : [])])
    expect(end <= (seam?.clock ?? 0) || start >= (seam?.clock ?? 0)).toBe(true);
  // Two parts that each had their whole load are both in the rates.
  const seconds = (windows.length > 0 ? windows : [window]).map((each) =>
    each ? (each.end - each.start) / 1e6 : 0,
  );
  expect(steady?.seconds).toBeCloseTo(seconds.reduce((sum, each) => sum + each, 0));
  expect(requests.lost ?? 0).toBe(seam?.lost);
}, 300_000);

test('a stage that had begun while the one before it was not over is measured anew, and what there was is set aside', async () => {
  const slow = JSON.stringify({ ttftMs: 5, itlMs: 1, slow: { every: 9, ms: 4000 } });
  const load = ['--prompt-tokens', '10', '--output-tokens', '4', '--warmup', '1', '--no-calibrate'];
  const running = place.spawn(
    'bench',
    truth.url,
    '--model',
    slow,
    ...load,
    '--streams',
    '2,2',
    '--max-requests',
    '16',
  );
  await until(() => recordsOf().some(({ stage }) => stage === 1), 'a record of the second stage');
  expect(existsSync(join(folder(), 'stage-0.json'))).toBe(false);
  await kill(running);
  const report = await resume();
  expect(linesOf('set-aside.jsonl').length).toBeGreaterThan(0);
  for (const { index, requests } of report.stages)
    expect(recordsOf().filter(({ stage }) => stage === index)).toHaveLength(
      requests.warmup + requests.measured,
    );
  expect(report.stages[1]?.requests.measured).toBeGreaterThanOrEqual(16);
}, 120_000);

test('a run that Ctrl-C ended says how to go on with it, and does; one that is over is refused', async () => {
  const running = begin('--streams', '2', '--max-requests', '600');
  await until(() => linesOf().length > 30, 'some records');
  running.child.kill('SIGINT');
  expect(await running.exited).toBe(130);
  const [, id] = /Go on with it: berth bench --resume (\S+)/.exec(running.output().stdout) ?? [];
  expect(folder().endsWith(id ?? '?')).toBe(true);
  const before = recordsOf().filter(({ outcome }) => outcome === 'ok').length;
  const other = await place.berth('bench', '--resume', id ?? '', '--streams', '4');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('leave out --streams');
  const report = await resume();
  expect(report.stages[0]?.requests.ok).toBeGreaterThanOrEqual(600);
  expect(report.stages[0]?.requests.warmup).toBeGreaterThan(2);
  // What was in flight was cut and has its records.
  expect(report.resumed[0]?.lost).toBe(0);
  expect(recordsOf().filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(before);
  const again = await place.berth('bench', '--resume', id ?? '');
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('reached its end');
});

test('a run at work is not gone on with by a second command', async () => {
  begin('--max-seconds', '100');
  await until(() => linesOf().length > 3, 'some records');
  const second = await place.berth('bench', '--resume', 'last');
  expect(second.code).toBe(2);
  expect(second.stderr).toContain('is still at work');
});

test("an open loop's stage is measured anew, and what there was of it is kept beside the run", async () => {
  const running = begin('--rate', '100', '--max-requests', '300', '--profile', 'constant');
  await until(() => linesOf().length > 20, 'some records');
  await kill(running);
  const before = recordsOf();
  const report = await resume();
  expect(linesOf('set-aside.jsonl').map((line) => RequestRecord.parse(JSON.parse(line)))).toEqual(before);
  expect(report.stages[0]?.requests.measured).toBe(300);
  expect(recordsOf().every(({ scheduled }) => scheduled > (before.at(-1)?.scheduled ?? 0))).toBe(true);
});

test('the figures of a resumed stage are those of all its records', async () => {
  const running = begin('--streams', '1', '--max-requests', '200');
  await until(() => linesOf().length > 20, 'some records');
  await kill(running);
  const report = await resume();
  const ttft = recordsOf()
    .filter(({ phase, outcome }) => phase === 'measured' && outcome === 'ok')
    .map(({ sent, firstToken }) => ((firstToken as number) - (sent as number)) / 1000);
  expect(report.stages[0]?.ttft?.n).toBe(ttft.length);
  expect(report.stages[0]?.ttft?.max).toBeCloseTo(Math.max(...ttft), 6);
  // Without its report, as a crash at the very end would leave it, the run's other files tell the same.
  rmSync(join(folder(), 'report.json'));
  expect(Report.parse(JSON.parse((await place.berth('report', 'last', '--json')).stdout)).stages).toEqual(
    report.stages,
  );
});

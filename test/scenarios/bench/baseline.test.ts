import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts, makePlace } from '../../support/berth.ts';
import type { Place, Ran } from '../../support/berth.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
let server: ScriptedServer;
/** How long the server takes for each run, one after the other; each run is of eight requests at once. */
let delays: number[] = [];
beforeEach(async () => {
  place = makePlace();
  server = await startScriptedServer({
    delayMs: () => delays[Math.floor((server.bodies().length - 1) / 8)] ?? 0,
  });
});
afterEach(async () => {
  await place.close();
  await server.close();
});

/** Long answers, ms: the client is limited only by delays that are large beside them. */
const slow = 1500;
const slower = 2700;
const load = [
  '--streams',
  '8',
  '--max-requests',
  '8',
  '--warmup',
  '0',
  '--no-calibrate',
  '--prompt-tokens',
  '10',
];

interface Held {
  runs: {
    folder: string;
    report: { spec: { against?: object } };
    against: {
      verdict: string;
      worse: string[];
      regressions: string[];
      repeat?: { verdict: string; folder: string };
      limits: { verdict: string; change: number }[];
    };
  }[];
}

/** A run named main, and then another command; each request of a run takes as long as its delay says. */
async function after(each: number[], ...words: string[]): Promise<Ran> {
  server.seen.length = 0;
  delays = each;
  await place.berth('bench', server.url, ...load, '--name', 'before');
  expect((await place.berth('baseline', 'main', 'last')).code).toBe(0);
  return place.berth('bench', ...words);
}

const limited = ['--baseline', '@main', '--limit', 'ttft.p50 <= +50%'];

/** On a busy machine the client may be the limit: then nothing is judged, and that is what is said. */
function isJudged({ code, stdout }: Ran): boolean {
  if (code !== 5) return true;
  expect(stdout).toMatch(/Nothing is judged: a client limited|"verdict": "client-limited"/);
  return false;
}

test('with --confirm a run that is worse is measured once more, and passes when it is not worse again', async () => {
  const ran = await after([slow, slower, slow], server.url, ...load, ...limited, '--confirm');
  if (!isJudged(ran)) return;
  expect([ran.code, ran.stdout]).toEqual([
    0,
    expect.stringContaining('Not confirmed: 8 streams: ttft.p50 <= +50% was worse once'),
  ]);
  expect(ran.stderr).toMatch(/Worse than \S+_before_\w+ \(8 streams.*measuring once more/);
});

test('with --confirm a run that is worse twice is exit code 4, and both are there', async () => {
  const ran = await after([slow, slower, slower], server.url, ...load, ...limited, '--confirm', '--json');
  if (!isJudged(ran)) return;
  expect(ran.code).toBe(4);
  const [run] = (ran.json() as Held).runs;
  expect(run?.against).toMatchObject({
    worse: ['8 streams: ttft.p50 <= +50%'],
    regressions: ['8 streams: ttft.p50 <= +50%'],
    repeat: { verdict: 'worse' },
  });
  expect(run?.against.repeat?.folder).not.toBe(run?.folder);
});

test('what cannot be compared is refused before anything is measured, and what turns out so is no pass', async () => {
  const same = await after([5, 5, 5], server.url, ...load, '--baseline', '@main', '--json');
  // The report names the run itself and not what the name stood for on that day.
  expect((same.json() as Held).runs[0]?.report.spec.against).toMatchObject({
    baseline: expect.stringContaining('_before_'),
  });
  const sent = server.bodies().length;
  for (const [words, text] of [
    [['--baseline', '@other'], '@main'],
    [['--baseline', 'last', '--cache', 'warm'], 'prefix cache: cold and warm'],
    [['--baseline', 'last', '--limit', 'ttft < 5'], 'ttft < 5'],
    [['--confirm'], '--baseline'],
    [['--baseline', 'last', '--shard', '1/2'], 'berth merge'],
  ] as const) {
    const ran = await place.berth('bench', server.url, ...load, ...words);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(text)]);
  }
  expect(server.bodies().length).toBe(sent);
  const other = await place.berth(
    'bench',
    server.url,
    ...load,
    '--baseline',
    '@main',
    '--output-tokens',
    '9',
  );
  expect([2, 5]).toContain(other.code);
  expect(other.stdout).toMatch(/Nothing is judged: (the runs did other work|a client limited)/);
});

test('a benchmark of the fleet file names its baseline and what may change', async () => {
  place.write(`version: 1
fleet: home
models: {m: {source: ./m.gguf}}
deployments: {m: {model: m, engine: {kind: openai, url: "${server.url}"}}}
benchmarks:
  nightly:
    of: m
    profile: {kind: concurrent, streams: [8]}
    requests: 8
    warmup: 0
    calibrate: false
    data: {prompt: 10}
    against: {baseline: "@main", changes: ["ttft.p50 <= +50%"]}
`);
  const ran = await after([slow, slower], 'nightly', '--json');
  expect([4, 5]).toContain(ran.code);
  const [run] = (ran.json() as Held).runs;
  expect(run?.against.limits[0]?.change).toBeGreaterThan(1.5);
  const report = join(run?.folder ?? '', 'report.json');
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
    spec: { against: { confirm: false, tolerance: 5 } },
  });
  // The report file of a run is as good as its name.
  const byFile = await place.berth('compare', report, 'last', '--json');
  expect((byFile.json() as { comparisons: { base: string }[] }).comparisons[0]?.base).toContain('nightly');
  place.write(readFileSync(join(place.folder, 'berth.yaml'), 'utf8').replace('<= +50%', '< 50'));
  const wrong = await place.berth('validate');
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('nightly.against.changes.0: "ttft.p50 < 50"'),
  ]);
});

test('what up measures is held against its baseline too, and a regression is its exit code', async () => {
  const [gateway, console] = await freePorts(2);
  place.write(`version: 1
fleet: home
models: {m: {source: ./m.gguf}}
deployments: {m: {model: m, engine: {kind: openai, url: "${server.url}"}}}
gateway: {listen: ["127.0.0.1:${gateway}"]}
console: {listen: "127.0.0.1:${console}"}
benchmarks:
  nightly:
    of: m
    profile: {kind: concurrent, streams: [8]}
    requests: 8
    warmup: 0
    calibrate: false
    data: {prompt: 10}
    against: {baseline: "@main", changes: ["ttft.p50 <= +50%"]}
`);
  server.seen.length = 0;
  // That the engine serves may be asked of it by a request more.
  delays = [slow, slower, slower];
  await place.berth('bench', server.url, ...load, '--name', 'before');
  expect((await place.berth('baseline', 'main', 'last')).code).toBe(0);
  const ran = await place.berth('up', '--ephemeral', '--once');
  if (!isJudged(ran)) return;
  expect(ran.code, ran.stderr).toBe(4);
  expect(ran.stdout).toMatch(/Worse than .*ttft/);
});

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { liveLines } from '../../../src/cli/live-view.ts';
import { createProgressHub } from '../../../src/cli/progress-hub.ts';
import type { RunProgress } from '../../../src/domain/run-progress.ts';
import { localWorld } from '../../../src/io/local-world.ts';
import { makePlace, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

const bin = resolve(import.meta.dirname, '../../../bin/berth.js');
const script = '/usr/bin/script';
const model = JSON.stringify({ ttftMs: 20, itlMs: 3 });
const load = ['--model', model, '--prompt-tokens', '10', '--output-tokens', '4', '--no-calibrate'];

let truth: TruthServer;
let place: Place;
beforeEach(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
  place = makePlace();
});
afterEach(async () => {
  await place.close();
  await truth.close(0);
});

const stage = { type: 'stage-started', index: 1, label: '4 streams', seconds: 60, requests: null } as const;
const tick = {
  type: 'tick',
  index: 1,
  phase: 'measured',
  elapsedSeconds: 15,
  inFlight: 4,
  done: 120,
  failed: 1,
  eventsPerSecond: 81.6,
  ttftMs: 45.23,
  itlMs: null,
} as const;

test('the live view tells TTFT, ITL, throughput, what is in flight and failed, and how long it will take', () => {
  expect(liveLines(stage, tick)).toEqual([
    '4 streams: measuring  [######..................]  15 s of 60 s, 45 s left',
    '  TTFT 45.2 ms   ITL -   about 82 tokens/s   4 in flight   120 done   1 failed',
  ]);
  const [counted] = liveLines({ ...stage, seconds: null, requests: 480 }, tick);
  expect(counted).toContain('15 s of 480 requests, 45 s left');
  expect(liveLines(stage, { ...tick, phase: 'warmup' })[0]).toBe('4 streams: warming up  15 s of 60 s');
});

test.skipIf(!existsSync(script))(
  'on a terminal two lines are written over; they leave only what was measured',
  async () => {
    const command = [
      process.execPath,
      bin,
      'bench',
      truth.url,
      ...load,
      '--max-seconds',
      '3',
      '--streams',
      '2',
    ];
    const child = spawn(script, ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null'], {
      cwd: place.folder,
      env: { ...place.env, TERM: 'xterm', COLUMNS: '100' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    await new Promise((done) => child.once('close', done));
    expect(shown).toMatch(/TTFT \d+\.\d ms {3}ITL \d+\.\d ms {3}about \d+ tokens\/s {3}2 in flight/);
    // What the last clearing leaves is the end of the stage, without a rest of the view above it.
    const cleared = '\u001B[2A\r\u001B[J';
    const rest = shown.slice(shown.lastIndexOf(cleared) + cleared.length);
    expect(rest).toMatch(/^2 streams: \d+ requests measured/);
  },
);

test('without a terminal there are plain lines and not one control character', async () => {
  const ran = await place.berth('bench', truth.url, ...load, '--max-requests', '5', '--json');
  expect(ran.stderr).toContain('1 stream for 5 requests\n');
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(ran.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/);
});

test('a run of another process is told as it goes on, from its folder, and that it ended', async () => {
  const heard: RunProgress[] = [];
  const hub = createProgressHub();
  hub.subscribe((progress) => heard.push(progress));
  const stop = new AbortController();
  hub.follow(localWorld({ stateDir: join(place.folder, 'state') }), stop.signal);
  const running = place.spawn('bench', truth.url, ...load, '--max-seconds', '100', '--name', 'elsewhere');
  function dones(): number[] {
    return heard.flatMap((one) => (one.type === 'tick' ? [one.done] : []));
  }
  await until(() => new Set(dones()).size > 2, 'figures that move');
  expect(heard.slice(0, 2)).toMatchObject([
    { type: 'run-started', name: 'elsewhere' },
    { type: 'stage-started', label: '1 stream' },
  ]);
  running.child.kill('SIGKILL');
  await until(() => heard.at(-1)?.type === 'run-ended', 'the end of the run');
  stop.abort();
});

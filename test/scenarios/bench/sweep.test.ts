import { afterAll, beforeAll, expect, test } from 'vitest';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
let server: ScriptedServer;
beforeAll(async () => {
  place = makePlace();
  // Far from each other, and too few requests for a trend, so that a busy machine blurs nothing: five at once are quick, a
  // sixth slows all.
  server = await startScriptedServer({ delayMs: (running) => (running <= 5 ? 200 : 4000) });
});
afterAll(async () => {
  await server.close();
  await place.close();
});

test('a sweep finds the most streams that keep the objective, and shows them in report, table and page', async () => {
  const { report, folder } = await bench(place, [
    server.url,
    '--profile',
    'kind=sweep,over=streams,to=12,points=1',
    '--slo',
    'e2e=3000',
    '--max-requests',
    '12',
    '--prompt-tokens',
    '20',
    '--output-tokens',
    '2',
  ]);
  const { knee } = report;
  expect(knee).toMatchObject({ over: 'streams', level: 5, missedAt: 6, keep: ['goodput >= 0.95'] });
  expect(knee?.levels.map(({ level, kept }) => [level, kept])).toEqual([
    [1, true],
    [2, true],
    [4, true],
    [5, true],
    [6, false],
    [8, false],
  ]);
  expect(report.stages[knee?.stage ?? -1]?.strategy).toEqual({ kind: 'closed', streams: 5 });
  const text = (await place.berth('report', folder)).stdout;
  expect(text).toContain('5 streams <- knee');
  expect(text).toContain('Knee: 5 streams is the highest that kept goodput >= 0.95; 6 streams did not.');
  expect(text).toMatch(/6 streams missed: goodput >= 0.95: 0\.\d+/);
  expect((await place.berth('report', folder, '--format', 'html')).stdout).toContain('Knee');
});

test('a sweep over rates is an open loop, and one that nothing keeps ends with code 3', async () => {
  const args = [server.url, '--profile', 'kind=sweep,from=8,to=16,keep=["ttft.p95 < 0.01"]'];
  const { report, code } = await bench(
    place,
    [...args, '--max-requests', '4', '--prompt-tokens', '20', '--output-tokens', '2', '--warmup', '0'],
    [3, 5],
  );
  expect(report.knee).toMatchObject({ level: null, stage: null });
  expect(report.stages.every(({ strategy }) => strategy.kind === 'open')).toBe(true);
  expect([3, 5]).toContain(code);
  expect(report.gates).toMatchObject([{ threshold: 'ttft.p95 < 0.01', passed: false }]);
});

test('a sweep without an objective is refused before anything is sent', async () => {
  const sent = server.seen.length;
  const ran = await place.berth('bench', server.url, '--profile', 'sweep');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('--slo');
  expect(server.seen.length).toBe(sent);
});

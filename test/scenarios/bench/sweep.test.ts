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
    'kind=sweep,over=streams,to=12,points=1,repeats=0',
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
  expect(knee).toMatchObject({ over: 'streams', keep: ['goodput >= 0.95'] });
  // A busy machine may limit the client: such a stage is never called kept, whatever its figures.
  const limited = report.stages.map(({ client }) => client.limited);
  for (const { stage, level, kept } of knee?.levels ?? []) expect(kept).toBe(level <= 5 && !limited[stage]);
  const found = limited.includes(true)
    ? { level: knee?.level, missedAt: knee?.missedAt }
    : { level: 5, missedAt: 6 };
  expect(knee).toMatchObject(found);
  expect(report.stages[knee?.stage ?? -1]?.strategy).toEqual(
    found.level === null ? undefined : { kind: 'closed', streams: found.level },
  );
  const text = (await place.berth('report', folder)).stdout;
  expect(text).toContain(found.level === null ? 'Knee: none' : ' <- knee');
  expect(text).toMatch(/\d streams? missed: (goodput >= 0.95: 0\.\d+|the client was the limit)/);
  // Twelve requests at a load are not enough to be sure of 95 %.
  expect(text).toMatch(/is not sure: goodput >= 0.95: 1 \(0.7575 to 1\)|none of the loads/);
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

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Report } from '../../../src/domain/run/report.ts';
import { freePorts, isRunning, makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { randomModel } from '../../support/embedded.ts';
import { recompute } from './recompute.ts';

let place: Place;
let model: Awaited<ReturnType<typeof randomModel>>;
beforeAll(async () => {
  place = makePlace();
  model = await randomModel();
});
afterAll(async () => {
  await place.close();
  model.remove();
});

test('up --once measures an engine that counts the same tokens, prints the table, and leaves nothing running', async () => {
  const [engine, gateway, console] = await freePorts(3);
  place.write(`version: 1
fleet: once
models: {random: {source: ${JSON.stringify(model.path)}}}
deployments:
  random: {model: random, port: ${engine}, engine: {kind: embedded, slots: 2, context: 256}}
gateway: {listen: ["127.0.0.1:${gateway}"]}
console: {listen: "127.0.0.1:${console}"}
benchmarks:
  direct: {of: random, profile: {kind: concurrent, streams: [1, 2]}, data: {prompt: 48, output: 12}, requests: 6, warmup: 2, calibrate: false}
  gate: {of: random, via: gateway, profile: {kind: synchronous}, data: {prompt: 48, output: 12}, requests: 3, calibrate: false}
`);
  const done = await place.berth('up', '--ephemeral', '--once');
  expect(done.code, done.stderr).toBe(0);
  const runs = join(place.folder, 'state/data/runs');
  const folders = readdirSync(runs).toSorted();
  expect(folders).toHaveLength(2);
  for (const folder of folders) {
    const report = Report.parse(JSON.parse(readFileSync(join(runs, folder, 'report.json'), 'utf8')));
    const records = readFileSync(join(runs, folder, 'records.jsonl'), 'utf8');
    expect(report.server.notes).toEqual([]);
    const all = report.stages.map(({ index }) => recompute(records, index, null));
    expect(report.stages.at(-1)?.engine).toMatchObject({
      promptTokens: all.reduce((sum, { promptSum }) => sum + promptSum, 0),
      outputTokens: all.reduce((sum, { outputSum }) => sum + outputSum, 0),
      agrees: true,
    });
    for (const stage of report.stages) {
      const again = recompute(records, stage.index, null);
      expect(stage.requests).toMatchObject({ ok: again.ok, failed: 0, censored: 0 });
      expect(stage.promptTokens).toMatchObject({ min: 48, max: 48 });
      expect(stage.outputTokens).toMatchObject({ min: 12, max: 12 });
      expect(stage.steady?.outputTokensPerSecond).toBeCloseTo(again.outputRate, 6);
      const row = done.stdout.split('\n').filter((line) => line.startsWith(stage.label));
      expect(row.join('\n')).toContain(again.outputRate.toFixed(1));
    }
  }
  const stopped = (await place.berth('status', '--json')).json() as {
    deployments: { replicas: { pid: number | null }[] }[];
  };
  const pids = stopped.deployments.flatMap((one) => one.replicas.map((replica) => replica.pid));
  expect(pids.filter((pid) => pid !== null && isRunning(pid))).toEqual([]);
}, 120_000);

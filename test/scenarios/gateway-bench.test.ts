import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OverheadReport } from '../../src/bench/overhead/report.ts';
import type { Report } from '../../src/domain/run/report.ts';
import { makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

const engine = join(import.meta.dirname, '../support/streaming-engine.mjs');
/** What that engine sends: its events and [DONE]. */
const eventsEach = 9;
let place: Place;

beforeEach(() => {
  place = makePlace();
  place.env['MY_KEY'] = 'sk-of-a-client';
  const command = JSON.stringify([process.execPath, engine, '{port}']);
  place.write(
    [
      'version: 1',
      'fleet: lab',
      ownPorts(),
      `id: "${randomBytes(8).toString('hex')}"`,
      'gateway: {listen: ["127.0.0.1:0"], keys: {me: "${env:MY_KEY}"}}',
      'console: {listen: "127.0.0.1:0"}',
      'deployments:',
      `  a: {engine: {kind: command, command: ${command}, stopGrace: 5s, startTimeout: 60s}}`,
      '',
    ].join('\n'),
  );
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

test('the ways take turns through a gateway that wants keys, and the report says how many and how sure', async () => {
  expect((await place.berth('up', '--detach')).code).toBe(0);
  const args = ['gateway', 'bench', 'a', '--pairs', '10', '--streams', '2', '--no-nginx'];
  const ran = await place.berth(...args, '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const report = ran.json() as OverheadReport;
  expect(report).toMatchObject({ deployment: 'a', pairs: 10, streams: 2 });
  expect(report.rows.map(({ name, requests, events }) => [name, requests, events])).toEqual(
    ['direct', 'direct again', 'gateway'].map((name) => [name, 20, 20 * eventsEach]),
  );
  const [direct, again, gateway] = report.rows;
  expect([direct?.addedP50, gateway?.addedP99]).toEqual([null, null]);
  for (const row of [again, gateway]) {
    const [from = NaN, to = NaN] = row?.addedP50?.interval ?? [];
    expect(row?.addedP50?.ms).not.toBeNaN();
    expect(from).toBeLessThanOrEqual(to);
  }
  expect(gateway?.cpuUsPerEvent).toBeGreaterThan(0);
  expect(direct?.cpuUsPerEvent).toBeNull();
  expect(report.notes.join(' ')).toContain('p99 needs at least 200 requests');
});

const nginxMissing = spawnSync('nginx', ['-v']).error ? ' (nginx is not installed)' : '';

test.skipIf(nginxMissing !== '')(
  `an engine that closes connections between streams is measured behind nginx too${nginxMissing}`,
  async () => {
    const path = join(place.folder, 'berth.yaml');
    place.write(readFileSync(path, 'utf8').replace('"{port}"', '"{port}", "closes"'));
    expect((await place.berth('up', '--detach')).code).toBe(0);
    const ran = await place.berth('gateway', 'bench', 'a', '--pairs', '10', '--json');
    expect(ran.code, ran.stderr).toBe(0);
    const { rows } = ran.json() as OverheadReport;
    expect(rows.map(({ name, requests }) => [name, requests])).toContainEqual(['nginx', 10]);
  },
);

test('without a running gateway it says so and exits with 6; a wild count is refused', async () => {
  expect((await place.berth('apply')).code).toBe(0);
  const down = await place.berth('gateway', 'bench');
  expect([down.code, down.stderr]).toEqual([6, expect.stringContaining('"berth up" starts it')]);
  expect((await place.berth('gateway', 'bench', '--pairs', '1000000')).code).toBe(2);
});

test('a benchmark through the gateway shows the key of a client, and never the master key', async () => {
  place.env['MASTER'] = 'sk-of-the-master';
  const path = join(place.folder, 'berth.yaml');
  const before = readFileSync(path, 'utf8');
  const keys = 'keys: {me: "${env:MY_KEY}"}';
  const benchmarks =
    'benchmarks:\n  gate: {of: a, via: gateway, profile: {kind: synchronous}, data: {prompt: 16, output: 4}, requests: 2, warmup: 0, calibrate: false}\n';
  for (const [named, shown] of [
    ['masterKey: "${env:MASTER}"', { file: expect.any(String) as string }],
    [`masterKey: "\${env:MASTER}", ${keys}`, { env: 'MY_KEY' }],
    // Those that were made are known by their hashes alone.
    ['', { file: expect.any(String) as string }],
  ] as const) {
    place.write(before.replace(`, ${keys}`, named === '' ? '' : `, ${named}`) + benchmarks);
    if (named === '') await place.berth('keys', 'add', 'laptop');
    const up = await place.berth('up', '--detach');
    expect(up.code, up.stderr).toBe(0);
    const ran = await place.berth('bench', 'gate', '--json');
    // Whether so few requests had a client that kept up is the machine's doing.
    expect([0, 5], ran.stderr).toContain(ran.code);
    const [run] = (ran.json() as { runs: { report: Report }[] }).runs;
    expect(run?.report.stages[0]?.requests).toMatchObject({ ok: 2, failed: 0 });
    expect(run?.report.spec.target.key).toEqual(shown);
    expect((await place.berth('down')).code).toBe(0);
  }
});

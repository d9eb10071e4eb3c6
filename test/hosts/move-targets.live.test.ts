import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { ShiftStep } from '../../src/fleet/relocate/ease.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

const lacks = missingForSystemd();
if (lacks !== '') console.info(`move between targets: not run, ${lacks} is missing`);

const clients = 20;
const text = `version: 1
fleet: lab
id: "b0c5b0c5b0c5b0c5"
gateway: {limits: {queueTime: 300s}, accessLog: {format: json}}
models: {m: {source: ./m.gguf}}
deployments:
  # what everybody asks
  a: {model: m, engine: {kind: embedded, slots: 4, context: 256}} # one of them
`;
let box: SystemdBox;

function path(name: string): string {
  return join(box.folder, name);
}

interface Answer {
  readonly client: number;
  readonly whole: boolean;
  readonly text: string;
}

function answers(file: string): Answer[] {
  if (!existsSync(path(file))) return [];
  const lines = readFileSync(path(file), 'utf8').split('\n');
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Answer);
}

function load(out: string, stop: string): string {
  const program = resolve(import.meta.dirname, '../support/stream-texts.mjs');
  return `'${process.execPath}' '${program}' http://127.0.0.1:8484 '${path(out)}' '${path(stop)}' ${clients} a`;
}

function accessLog(): { status: number; retries: number }[] {
  const fleets = path('state/state');
  const logs = readdirSync(fleets).map((fleet) => join(fleets, fleet, 'logs/access.log'));
  const lines = logs.filter(existsSync).flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
  return lines.map((line) => JSON.parse(line) as { status: number; retries: number });
}

/** Moves it while all clients ask on, and waits until they have all been served there. */
async function movedTo(target: string): Promise<ShiftStep[]> {
  const ran = box.berth(['move', 'a', '--to', target, '--step-time', '10s', '--yes', '--json']);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const seen = answers('busy').length;
  await until(() => answers('busy').length >= seen + clients, 'the load to go on', 120_000);
  return (JSON.parse(ran.stdout) as { shift: ShiftStep[] }).shift;
}

function runs(): { target: string | undefined; state: string | undefined } {
  const { deployments } = JSON.parse(box.berth(['status', '--json']).stdout) as FleetStatus;
  const [one] = deployments;
  return { target: one?.replicas[0]?.object?.split(' ')[0], state: one?.replicas[0]?.state };
}

/** The same words manage it, whatever runs it. */
function expectManaged(): void {
  const logs = box.berth(['logs', 'a', '--lines', '5']);
  expect(logs.code, logs.stderr).toBe(0);
  expect(logs.stdout).not.toBe('');
  const top = box.berth(['top', '--once', '--json', '--interval', '1']);
  expect(top.code, top.stderr).toBe(0);
  expect(top.stdout).toContain('"a"');
  for (const verb of ['stop', 'start', 'restart']) {
    const ran = box.berth([verb, 'a']);
    expect(ran.code, `${verb}: ${ran.stdout}${ran.stderr}`).toBe(0);
    expect(runs().state === 'ready', verb).toBe(verb !== 'stop');
  }
}

describe.skipIf(lacks !== '')('a deployment that moves from one target to another, under a load', () => {
  beforeAll(async () => {
    box = startSystemdBox();
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: path('m.gguf') });
    writeFileSync(path('berth.yaml'), text);
    const up = box.berth(['up', '--detach', '--json']);
    if (up.code !== 0) throw new Error(up.stdout + up.stderr);
  }, 300_000);

  afterAll(() => {
    box.berth(['down']);
    box.stop();
  }, 120_000);

  test('goes from a process to a unit of systemd and back: no request fails, each text is as in a calm run, the file says so', async () => {
    writeFileSync(path('at-once'), '');
    const calm = box.enter('sh', '-c', load('calm', 'at-once'));
    expect(calm.code, calm.stderr).toBe(0);
    const expected = new Map(answers('calm').map((one) => [one.client, one.text]));
    box.enter('sh', '-c', `setsid ${load('busy', 'stop')} >'${path('load.log')}' 2>&1 </dev/null &`);
    await until(() => answers('busy').length >= clients, 'the load', 120_000);

    const there = await movedTo('systemd');
    expect(there.map((one) => [one.share, one.worse])).toEqual(
      [0, 0.05, 0.25, 0.5, 1].map((share) => [share, null]),
    );
    expect(runs()).toEqual({ target: 'unit', state: 'ready' });
    const file = readFileSync(path('berth.yaml'), 'utf8');
    expect(file).toContain('target: {kind: systemd}');
    expect(file).toContain('# one of them');

    const back = await movedTo('process');
    expect(back.map((one) => one.worse)).toEqual(Array(5).fill(null));
    expect(runs()).toEqual({ target: 'process', state: 'ready' });
    expect(box.enter('sh', '-c', 'ls /etc/systemd/system | grep berth').stdout).toBe('');

    writeFileSync(path('stop'), '');
    await until(() => box.enter('pgrep', '-f', 'stream-texts').code !== 0, 'the load to end', 300_000);
    const all = answers('busy');
    expect(all.filter((one) => !one.whole || one.text !== expected.get(one.client))).toEqual([]);
    const noted = await until(() => {
      const lines = accessLog();
      return lines.length >= all.length + clients ? lines : null;
    }, 'the access log');
    expect(noted.filter((one) => one.status !== 200 || one.retries > 0)).toEqual([]);
  }, 600_000);

  test('is stopped, started, restarted and looked at by the same words at either target; without a load its own questions decide', async () => {
    expectManaged();
    const ran = box.berth(['move', 'a', '--to', 'systemd', '--step-time', '5s', '--yes', '--json']);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    const { shift } = JSON.parse(ran.stdout) as { shift: ShiftStep[] };
    const asked = shift.filter((one) => one.probed);
    expect(asked.map((one) => one.share)).toEqual([0.05, 0.25, 0.5, 1]);
    for (const { newer, older } of asked) expect([newer.good, older.good]).toEqual([12, 12]);
    expect(runs()).toEqual({ target: 'unit', state: 'ready' });
    expectManaged();
  }, 300_000);
});

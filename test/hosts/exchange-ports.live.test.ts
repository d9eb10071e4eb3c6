import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

const lacks = missingForSystemd();
if (lacks !== '') console.info(`ports of units exchanged: not run, ${lacks} is missing`);

const clients = 10;
const text = `version: 1
fleet: lab
id: "b0c5b0c5b0c5b0c5"
gateway: {limits: {queueTime: 300s}}
models: {m: {source: ./m.gguf}, n: {source: ./n.gguf}}
defaults: {target: {kind: systemd}, engine: {kind: embedded, slots: 2, context: 256}}
deployments:
  a: {model: m, port: 8080} # eyes
  b: {model: n, port: 8081}
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
  return `'${process.execPath}' '${program}' http://127.0.0.1:8484 '${path(out)}' '${path(stop)}' ${clients} a b`;
}

describe.skipIf(lacks !== '')('two units of systemd that exchange their ports, under a load', () => {
  beforeAll(async () => {
    box = startSystemdBox();
    for (const [seed, name] of ['m', 'n'].entries())
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: seed + 1, path: path(`${name}.gguf`) });
    writeFileSync(path('berth.yaml'), text);
    const up = box.berth(['up', '--detach', '--json']);
    if (up.code !== 0) throw new Error(up.stdout + up.stderr);
  }, 300_000);

  afterAll(() => {
    box.berth(['down']);
    box.stop();
  }, 120_000);

  test('the plan says that requests wait, they do, and each is answered as in a calm run', async () => {
    writeFileSync(path('at-once'), '');
    const calm = box.enter('sh', '-c', load('calm', 'at-once'));
    expect(calm.code, calm.stderr).toBe(0);
    const expected = new Map(answers('calm').map((one) => [one.client, one.text]));
    box.enter('sh', '-c', `setsid ${load('busy', 'stop')} >'${path('load.log')}' 2>&1 </dev/null &`);
    await until(() => answers('busy').length >= clients, 'the load', 120_000);

    const words = ['consolidate', '--here', '--port', 'a=8081', '--port', 'b=8080'];
    const told = box.berth([...words, '--dry-run']).stdout;
    expect(told).toContain('b is to have its port 8080, so that requests of a wait');
    expect(told).toContain('a is to have its port 8081, so that requests of b wait');
    expect(told).not.toContain('beside the old one');
    const ran = box.berth([...words, '--yes', '--json']);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    const { deployments } = JSON.parse(box.berth(['status', '--json']).stdout) as FleetStatus;
    expect(deployments.map(({ name, replicas: [one] }) => [name, one?.state, one?.port])).toEqual([
      ['a', 'ready', 8081],
      ['b', 'ready', 8080],
    ]);
    expect(readFileSync(path('berth.yaml'), 'utf8')).toContain('a: {model: m, port: 8081} # eyes');

    const seen = answers('busy').length;
    await until(() => answers('busy').length >= seen + clients, 'the load to go on', 120_000);
    writeFileSync(path('stop'), '');
    await until(() => box.enter('pgrep', '-f', 'stream-texts').code !== 0, 'the load to end', 120_000);
    const odd = answers('busy').filter((one) => !one.whole || one.text !== expected.get(one.client));
    expect(odd).toEqual([]);
    expect(box.enter('sh', '-c', 'ls /etc/systemd/system/berth-*.service | wc -l').stdout.trim()).toBe('2');
  }, 400_000);
});

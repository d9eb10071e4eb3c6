import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { ShiftStep } from '../../src/fleet/relocate/ease.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { missingForCluster, startClusterIn, usualLlama } from './kube-box.ts';
import { liveBin } from './llama-server.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

const lacks = missingForCluster() ?? missingForSystemd();
if (lacks !== '') console.info(`move to a cluster: not run, ${lacks} is missing`);

/** Units see no homes, so that the machine has a llama-server outside of them. */
const ownBin = '/opt/llama/bin';

const clients = 20;
const text = `version: 1
fleet: lab
id: "b0c5b0c5b0c5b0c5"
hosts:
  here: {local: true}
  box: {kubernetes: {context: box, namespace: llm, createNamespace: true}}
gateway: {limits: {queueTime: 300s}, accessLog: {format: json}}
models: {m: {source: ./m.gguf}}
deployments:
  # what everybody asks
  a: {model: m, host: here, target: {kind: process}, resources: {requests: {cpu: "100m"}}, engine: {kind: llama.cpp, slots: 4, context: 256, threads: 1, cacheRam: 0}} # one of them
`;
let box: SystemdBox;
let kubeconfig: string;
let kubectl: (...args: string[]) => string;

function path(name: string): string {
  return join(box.folder, name);
}

function berth(...args: string[]): BoxRan {
  return box.berth(args, { KUBECONFIG: kubeconfig, PATH: `${ownBin}:${process.env['PATH']}` });
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
async function movedTo(place: string): Promise<void> {
  const bin = resolve(import.meta.dirname, '../../bin/berth.js');
  const words = `'${process.execPath}' '${bin}' move a --to ${place} --step-time 10s --yes --json`;
  const env = `KUBECONFIG='${kubeconfig}' PATH='${ownBin}':"$PATH"`;
  const ran = box.enter('sh', '-c', `cd '${box.folder}' && ${env} ${words} 2>>move.log`);
  const told = readFileSync(path('move.log'), 'utf8');
  expect(ran.code, ran.stdout + told).toBe(0);
  const seen = answers('busy').length;
  await until(() => answers('busy').length >= seen + clients, 'the load to go on', 120_000);
  const { shift } = JSON.parse(ran.stdout) as { shift: ShiftStep[] };
  const steps = shift.map((one) => `${one.share} ${one.worse ?? 'as good'}`).join(', ');
  expect(steps, told).toBe('0 as good, 0.05 as good, 0.25 as good, 0.5 as good, 1 as good');
}

function runs(): { target: string | undefined; state: string | undefined } {
  const { deployments } = JSON.parse(berth('status', '--json').stdout) as FleetStatus;
  const [one] = deployments;
  return { target: one?.replicas[0]?.object?.split(' ')[0], state: one?.replicas[0]?.state };
}

/** Units of the fleet that the machine has: files and what is loaded. */
function units(): string[] {
  const listed = box.enter(
    'sh',
    '-c',
    "systemctl list-units --all --plain --no-legend 'berth-lab-*'; ls /etc/systemd/system",
  );
  return listed.stdout.split(/\s+/).filter((word) => /^berth-lab-.*service$/.test(word));
}

/** The libraries of the test's llama-server, and it with their new place. */
function layLlama(): void {
  const from = resolve(liveBin, '../llama-cpp/root');
  const script = readFileSync(join(liveBin, 'llama-server'), 'utf8').replaceAll(from, '/opt/llama/root');
  writeFileSync(path('llama-server'), script, { mode: 0o755 });
  const words = `mkdir -p ${ownBin} && cp -r '${from}' /opt/llama/root && cp '${path('llama-server')}' ${ownBin}`;
  const laid = box.enter('sh', '-c', words);
  if (laid.code !== 0) throw new Error(laid.stderr);
}

describe.skipIf(lacks !== '')('a deployment that moves into a cluster and out of it, under a load', () => {
  beforeAll(async () => {
    const bin = process.env['KUBEBUILDER_ASSETS'] ?? '';
    box = startSystemdBox([bin, resolve(liveBin, '..')], { node: true });
    layLlama();
    ({ kubeconfig, kubectl } = await startClusterIn(box, [usualLlama]));
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: path('m.gguf') });
    writeFileSync(path('berth.yaml'), text);
    const up = berth('up', '--detach', '--json');
    if (up.code !== 0) throw new Error(up.stdout + up.stderr);
  }, 400_000);

  afterAll(() => {
    berth('down');
    box.stop();
  }, 120_000);

  test('goes from a process to a pod, to a unit, and from that to a pod and back: no request fails, each text is as in a calm run', async () => {
    writeFileSync(path('at-once'), '');
    const calm = box.enter('sh', '-c', load('calm', 'at-once'));
    expect(calm.code, calm.stderr).toBe(0);
    const expected = new Map(answers('calm').map((one) => [one.client, one.text]));
    box.enter('sh', '-c', `setsid ${load('busy', 'stop')} >'${path('load.log')}' 2>&1 </dev/null &`);
    await until(() => answers('busy').length >= clients, 'the load', 120_000);

    await movedTo('kubernetes');
    expect(runs()).toEqual({ target: 'deployment', state: 'ready' });
    expect(readFileSync(path('berth.yaml'), 'utf8')).toContain('# one of them');
    expect(kubectl('-n', 'llm', 'get', 'deployments', '-o', 'name').trim()).toBe('deployment.apps/a');

    await movedTo('here/systemd');
    expect(runs()).toEqual({ target: 'unit', state: 'ready' });
    expect(units()).toContain('berth-lab-a.service');
    expect(kubectl('-n', 'llm', 'get', 'deployments,pods', '-o', 'name').trim()).toBe('');

    await movedTo('kubernetes');
    expect(runs()).toEqual({ target: 'deployment', state: 'ready' });
    expect(units()).toEqual([]);

    await movedTo('here/process');
    expect(runs()).toEqual({ target: 'process', state: 'ready' });
    expect(kubectl('-n', 'llm', 'get', 'deployments,pods', '-o', 'name').trim()).toBe('');

    writeFileSync(path('stop'), '');
    await until(() => box.enter('pgrep', '-f', 'stream-texts').code !== 0, 'the load to end', 300_000);
    const all = answers('busy');
    expect(all.filter((one) => !one.whole || one.text !== expected.get(one.client))).toEqual([]);
    const noted = await until(() => {
      const lines = accessLog();
      return lines.length >= all.length + clients ? lines : null;
    }, 'the access log');
    expect(noted.filter((one) => one.status !== 200 || one.retries > 0)).toEqual([]);
    const plan = JSON.parse(berth('plan', '--json').stdout) as { actions: { do: string }[] };
    expect(plan.actions.map((one) => one.do)).toEqual(['keep']);
  }, 1_800_000);
});

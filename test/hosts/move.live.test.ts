import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { ShiftStep } from '../../src/fleet/relocate/ease.ts';
import { freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { streamLoad } from '../support/stream-load.ts';
import type { StreamLoad, Streamed } from '../support/stream-load.ts';
import { missingForSsh } from './missing-for-ssh.ts';

const box = resolve(import.meta.dirname, 'ssh-box.sh');
const engine = resolve(import.meta.dirname, '../support/streaming-engine.mjs');
const clients = 20;

const lacks = missingForSsh();
if (lacks !== '') console.info(`move: not run, ${lacks} is missing`);

let folder: string;
let place: Place;
let load: StreamLoad | null;

/** On the far machine it ends at once while a file is there, and its first tokens come late while another one is. */
function write(port: number): string {
  const there = 'test "$(hostname)" = box &&';
  const broken = `${there} test -e ${join(folder, 'broken')} && exit 3`;
  const slow = `${there} test -e ${join(folder, 'slow')} && fault=slow`;
  const command = JSON.stringify([
    '/bin/sh',
    '-c',
    `${broken}; ${slow}; exec ${process.execPath} ${engine} "$0" $fault`,
    '{port}',
  ]);
  const text = `version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
hosts: {here: {local: true}, far: {ssh: box}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  # what everybody asks
  a: {host: here, port: ${port}, engine: {kind: command, command: ${command}, stopGrace: 5s, startTimeout: 60s, slots: 60}} # one of them
`;
  place.write(text);
  return text;
}

function file(): string {
  return readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
}

function kept(): string {
  return join(place.folder, 'berth.yaml.before-move');
}

/** A move to the far machine that is killed once it has said so. */
async function killedAt(said: RegExp): Promise<void> {
  const killed = place.spawn('move', 'a', '--to', 'far');
  await until(() => said.test(killed.output().stderr), `the move to say ${said.source}`, 120_000);
  killed.child.kill('SIGKILL');
  await killed.exited;
}

async function replicas(): Promise<{ host: string; pid: number | null }[]> {
  const found = (await place.berth('status', '--json')).json() as FleetStatus;
  return found.deployments.flatMap((one) => one.replicas.map(({ pid }) => ({ host: one.host, pid })));
}

async function up(): Promise<string> {
  const ran = await place.berth('up', '--detach', '--json');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return (ran.json() as { gateway: { url: string } }).gateway.url;
}

async function served(running: StreamLoad): Promise<void> {
  const from = running.ended.length;
  await until(() => running.ended.length >= from + clients, 'the clients to be served', 120_000);
}

function failed(streams: readonly Streamed[]): string[] {
  return streams
    .filter((one) => one.status !== 200 || !one.whole)
    .map(({ status, text }) => `${status} ${text}`);
}

describe.skipIf(lacks !== '')('a deployment that moves to another machine, by ssh, under a load', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-move-box-'));
    execFileSync(box, ['start', folder], { stdio: 'pipe' });
  }, 60_000);

  afterAll(() => {
    execFileSync(box, ['stop', folder], { stdio: 'pipe' });
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  beforeEach(() => {
    place = makePlace();
    place.env['PATH'] = `${folder}/bin:${place.env['PATH']}`;
    load = null;
  });

  afterEach(async () => {
    await load?.stop();
    await place.berth('down');
    await place.close();
  }, 60_000);

  test('starts there, takes the requests over and ends here: no request fails, and the file says so with its comments', async () => {
    const [port = 0] = await freePorts(1);
    const text = write(port);
    const url = await up();
    const [before] = await replicas();
    load = streamLoad(url, 'a', clients);
    await served(load);
    const moved = await place.berth('move', 'a', '--to', 'far', '--json');
    expect(moved.code, moved.stdout + moved.stderr).toBe(0);
    const { done, shift } = moved.json() as { done: { do: string; host: string }[]; shift: ShiftStep[] };
    expect(shift.map((one) => [one.share, one.worse])).toEqual(
      [0, 0.05, 0.25, 0.5, 1].map((share) => [share, null]),
    );
    expect(done.map((one) => `${one.do} ${one.host}`)).toEqual(['start far', 'stop here']);
    await served(load);
    const streams = await load.stop();
    expect(failed(streams)).toEqual([]);
    expect(file()).toBe(text.replace('host: here', 'host: far'));
    const [after] = await replicas();
    expect([after?.host, after?.pid === before?.pid]).toEqual(['far', false]);
    expect(new Set(streams.map(({ pid }) => pid))).toEqual(new Set([before?.pid, after?.pid]));
  }, 300_000);

  test('backs out by itself where the new one does not come up, and goes on where it was killed', async () => {
    const [port = 0] = await freePorts(1);
    const text = write(port);
    const url = await up();
    const [before] = await replicas();
    load = streamLoad(url, 'a', clients);
    await served(load);
    writeFileSync(join(folder, 'broken'), '');
    const refused = await place.berth('move', 'a', '--to', 'far');
    expect(refused.code, refused.stdout + refused.stderr).toBe(10);
    expect(refused.stderr).toContain('is as it was');
    expect(refused.stdout).toContain('a ended while starting with exit code 3');
    expect(file()).toBe(text);
    expect(await replicas()).toEqual([before]);
    rmSync(join(folder, 'broken'));

    await killedAt(/Starting a/);
    expect(file()).not.toBe(text);
    const undone = await place.berth('move', 'a', '--undo');
    expect(undone.code, undone.stdout + undone.stderr).toBe(0);
    expect([file(), await replicas()]).toEqual([text, [before]]);
    expect(existsSync(kept())).toBe(false);

    await killedAt(/5 % at the new one/);
    const again = await place.berth('move', 'a', '--to', 'far');
    expect(again.code, again.stdout + again.stderr).toBe(0);
    const after = await replicas();
    expect(after.map((one) => one.host)).toEqual(['far']);
    expect(existsSync(kept())).toBe(false);
    await served(load);
    expect(failed(await load.stop())).toEqual([]);
    expect(after[0]?.pid).not.toBe(before?.pid);
  }, 300_000);

  test('comes back by itself where first tokens come late there, with the evidence, and no request fails', async () => {
    const [port = 0] = await freePorts(1);
    const text = write(port);
    const url = await up();
    const before = await replicas();
    load = streamLoad(url, 'a', clients);
    await served(load);
    writeFileSync(join(folder, 'slow'), '');
    const moved = await place.berth('move', 'a', '--to', 'far', '--json');
    rmSync(join(folder, 'slow'));
    expect(moved.code, moved.stdout + moved.stderr).toBe(10);
    expect(moved.stdout + moved.stderr).toMatch(/of TTFT is .* or more at the new one/);
    expect([file(), await replicas()]).toEqual([text, before]);
    await served(load);
    expect(failed(await load.stop())).toEqual([]);
  }, 300_000);
});

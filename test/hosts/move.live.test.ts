import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
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

/** On the far machine it ends at once while a file is there. */
function write(port: number): string {
  const broken = `test "$(hostname)" = box && test -e ${join(folder, 'broken')} && exit 3`;
  const command = JSON.stringify([
    '/bin/sh',
    '-c',
    `${broken}; exec ${process.execPath} ${engine} "$0"`,
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
    const { done } = moved.json() as { done: { do: string; host: string }[] };
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
    expect(refused.code, refused.stdout + refused.stderr).toBe(1);
    expect(refused.stderr).toContain('is as it was');
    expect(refused.stdout).toContain('a ended while starting with exit code 3');
    expect(file()).toBe(text);
    expect(await replicas()).toEqual([before]);
    rmSync(join(folder, 'broken'));

    const killed = place.spawn('move', 'a', '--to', 'far');
    await until(() => killed.output().stderr.includes('Starting a'), 'the move to begin');
    killed.child.kill('SIGKILL');
    await killed.exited;
    const again = await place.berth('move', 'a', '--to', 'far');
    expect(again.code, again.stdout + again.stderr).toBe(0);
    const after = await replicas();
    expect(after.map((one) => one.host)).toEqual(['far']);
    await served(load);
    expect(failed(await load.stop())).toEqual([]);
    expect(after[0]?.pid).not.toBe(before?.pid);
  }, 300_000);
});

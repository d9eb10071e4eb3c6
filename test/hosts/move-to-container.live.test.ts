import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { ShiftStep } from '../../src/fleet/relocate/ease.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { importUsualLlama, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';
import { liveBin } from './llama-server.ts';

const missing = missingFor('docker');
if (missing !== null) console.info(`move to a container: not run, ${missing}`);

const clients = 20;
let box: ContainerBox;
let place: Place;
let url: string;

function answers(): { status: number; whole: boolean; text: string }[] {
  const path = join(place.folder, 'answers');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as { status: number; whole: boolean; text: string });
}

function load(): ChildProcess {
  const program = resolve(import.meta.dirname, '../support/stream-texts.mjs');
  const files = [join(place.folder, 'answers'), join(place.folder, 'stop')];
  return spawn(process.execPath, [program, url, ...files, String(clients), 'a'], { stdio: 'ignore' });
}

async function object(): Promise<string | undefined> {
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  return deployments[0]?.replicas[0]?.object?.split(' ')[0];
}

describe.skipIf(missing !== null)('a real llama-server that moves into a container, under a load', () => {
  beforeAll(async () => {
    box = await startBox('docker');
    await importUsualLlama(box);
    place = makePlace();
    place.env['DOCKER_HOST'] = box.host;
    place.env['PATH'] = `${liveBin}:${place.env['PATH'] ?? ''}`;
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    place.write(`version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
${ownPorts()}
gateway: {listen: ["127.0.0.1:0"], limits: {queueTime: 300s}}
console: {listen: "127.0.0.1:0"}
models: {m: {source: ./m.gguf}}
deployments:
  a: {model: m, engine: {kind: llama.cpp, slots: 4, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s}}
`);
    const up = await place.berth('up', '--detach', '--json');
    if (up.code !== 0) throw new Error(up.stdout + up.stderr);
    ({ url } = (up.json() as { gateway: { url: string } }).gateway);
  }, 300_000);

  afterAll(async () => {
    await place?.berth('down');
    await place?.close();
    box?.stop();
  }, 120_000);

  test('goes from a process to a container and back in steps, and no request fails', async () => {
    const asking = load();
    try {
      await until(() => answers().length >= clients, 'the load', 120_000);
      for (const [target, kind] of [
        ['docker', 'container'],
        ['process', 'process'],
      ] as const) {
        const ran = await place.berth('move', 'a', '--to', target, '--step-time', '10s', '--json');
        expect(ran.code, ran.stdout + ran.stderr).toBe(0);
        const { shift } = ran.json() as { shift: ShiftStep[] };
        expect(shift.map((one) => [one.share, one.worse])).toEqual(
          [0, 0.05, 0.25, 0.5, 1].map((share) => [share, null]),
        );
        expect(await object()).toBe(kind);
        const seen = answers().length;
        await until(() => answers().length >= seen + clients, 'the load to go on', 120_000);
      }
    } finally {
      writeFileSync(join(place.folder, 'stop'), '');
      await until(() => asking.exitCode !== null, 'the load to end', 300_000);
    }
    expect(answers().filter((one) => one.status !== 200 || !one.whole)).toEqual([]);
  }, 600_000);
});

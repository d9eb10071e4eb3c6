import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Instance, Mark } from '../../src/domain/instance.ts';
import type { LaunchSpec } from '../../src/domain/launch-spec.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { targetOf } from '../../src/targets/registry.ts';
import { fakeEngine, freePorts, isFree, until } from '../support/berth.ts';

let folder: string;
let fleet: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth target '));
  fleet = `contract-${randomBytes(6).toString('hex')}`;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function specOf(): LaunchSpec {
  return {
    engine: 'command',
    program: { binary: process.execPath },
    args: [fakeEngine, { hole: 'port' }],
    env: { FOLDER: { hole: 'cache', name: 'work' }, KEY_FILE: { hole: 'secret', name: 'key' } },
    secrets: { key: { env: 'CONTRACT_SECRET' } },
    model: null,
    mmproj: null,
    writable: ['work'],
    devices: { vendor: 'none', count: 0 },
    readiness: { path: '/health', startTimeoutMs: 20_000 },
    metricsPath: null,
    stop: { signal: 'SIGTERM', graceMs: 2_000 },
    slots: 2,
    servedModel: null,
  };
}

/** Targets that need nothing but this machine; the others pass the suite of test/hosts. */
describe.each(['process'])('target %s', (kind) => {
  const target = targetOf(kind);
  const world = { ...localWorld(), env: { ...process.env, CONTRACT_SECRET: 'sk-not-to-be-seen' } };

  async function start(spec = specOf()): Promise<{ instance: Instance; mark: Mark }> {
    const [port = 0] = await freePorts(1);
    const mark: Mark = {
      fleet,
      fleetId: fleet,
      deployment: 'a',
      replica: 0,
      target: { kind },
      address: '127.0.0.1',
      port,
      logFile: join(folder, 'logs', 'a.log'),
      declared: { 'engine.slots': 2 },
      spec,
    };
    const request = {
      mark,
      address: mark.address,
      port,
      logFile: mark.logFile,
      stateDir: join(folder, 'state'),
      withheld: [],
    };
    return { instance: (await target.create(world, request, { kind })).instance, mark };
  }

  async function observed(): Promise<Instance | undefined> {
    return (await target.observe(world)).find((one) => one.mark?.fleet === fleet);
  }

  test('the port of what it stopped is free at once', async () => {
    for (let times = 0; times < 6; times += 1) {
      const { instance, mark } = await start();
      await until(async () => ((await observed())?.endpoints.length ?? 0) > 0, 'its port');
      await target.remove(world, instance, mark.spec.stop);
      expect(await isFree(mark.port)).toBe(true);
    }
  });

  test('what it starts is observed again with the very mark, and with the port once it listens', async () => {
    const { instance, mark } = await start();
    const found = await until(async () => {
      const one = await observed();
      return one && one.endpoints.length > 0 ? one : null;
    }, 'the port');
    expect(found.mark).toEqual(mark);
    expect(found.object).toEqual(instance.object);
    expect(found.alive).toBe(true);
    expect(found.endpoints.map((end) => end.port)).toEqual([mark.port]);
    expect(found.rssBytes).toBeGreaterThan(0);
    await target.remove(world, instance, { signal: 'SIGTERM', graceMs: 5_000 });
  });

  test('an engine is shown the GPUs that were chosen for it, and its mark tells them', async () => {
    const chosen = { vendor: 'nvidia' as const, ids: ['GPU-a', 'GPU-b'] };
    const devices = { vendor: 'nvidia' as const, count: 2, chosen };
    const { instance } = await start({ ...specOf(), devices });
    const found = await until(observed, 'it to be seen');
    expect(found.mark?.spec.devices).toEqual(devices);
    const env = readFileSync(`/proc/${found.process?.pid}/environ`, 'utf8').split('\0');
    expect(env).toContain('CUDA_VISIBLE_DEVICES=GPU-a,GPU-b');
    await target.remove(world, instance, { signal: 'SIGKILL', graceMs: 0 });
  });

  test('what it stopped is gone, and stopping again is no fault', async () => {
    const { instance } = await start();
    const how = { signal: 'SIGTERM', graceMs: 5_000 };
    await target.remove(world, instance, how);
    expect(await observed()).toBeUndefined();
    await target.remove(world, instance, how);
  });

  test('it stops only the very process that was observed, not a later one of the same number', async () => {
    const { instance } = await start();
    const other = {
      ...instance,
      process: { ...instance.process!, startTicks: instance.process!.startTicks - 1 },
    };
    await target.remove(world, other, { signal: 'SIGKILL', graceMs: 0 });
    expect(await observed()).toBeDefined();
    await target.remove(world, instance, { signal: 'SIGKILL', graceMs: 0 });
  });

  test('the output is kept, and a secret is in none of what can be seen of it', async () => {
    const { instance, mark } = await start();
    const lines = await until(async () => {
      const found: string[] = [];
      const how = { lines: 5, follow: false, signal: new AbortController().signal };
      for await (const line of target.logs(world, instance, how)) found.push(line);
      return found.length > 0 ? found : null;
    }, 'a line of output');
    expect(lines[0]).toContain(`fake engine on port ${mark.port}`);
    expect(JSON.stringify(await observed())).not.toContain('sk-not-to-be-seen');
    await target.remove(world, instance, { signal: 'SIGTERM', graceMs: 5_000 });
  });
});

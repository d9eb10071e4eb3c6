import { expect, test } from 'vitest';
import type { Hardware } from '../../domain/hardware.ts';
import { localWorld } from '../../io/local-world.ts';
import { firstFleetFile } from './first-file.ts';
import { loadFleet } from './load.ts';
import type { LoadedFleet } from './resolve.ts';

function machine(gpus: Hardware['gpus']): Hardware {
  return {
    cpu: { model: 'A CPU', physicalCores: 8, logicalCores: 16, quotaCores: null, features: ['avx2'] },
    memory: { totalBytes: 32 * 1024 ** 3, availableBytes: null, limitBytes: null },
    gpus,
    notes: [],
  };
}

const gpu: Hardware['gpus'][number] = {
  vendor: 'nvidia',
  index: 0,
  uuid: 'GPU-1',
  name: 'NVIDIA A10',
  memoryBytes: 24 * 1024 ** 3,
  memoryUsedBytes: 0,
  driver: null,
  computeCapability: null,
  mig: null,
  utilizationPercent: null,
  processes: [],
};

function write(hardware: Hardware, id = 'abcd1234'): string {
  return firstFleetFile({
    schema: '/schema.json',
    fleet: 'home',
    id,
    model: './m.gguf',
    hardware,
  });
}

function load(text: string): Promise<LoadedFleet> {
  const world = localWorld();
  const files = { ...world.files, read: async (path: string) => (path.endsWith('.json') ? null : text) };
  return loadFleet({ ...world, files }, { files: ['berth.yaml'], cwd: '/home/me' });
}

test('the first file is valid, and says what machine it was written for', async () => {
  const text = write(machine([]));
  expect(text).toContain('# This machine: 8 cores, 32 GiB of memory.');
  const loaded = await load(text);
  expect(loaded.deployments[0]).toMatchObject({
    engine: { kind: 'embedded', slots: 4 },
    gpus: 0,
    model: { path: '/home/me/m.gguf' },
  });
});

test('with a GPU the first file uses it, through llama-server', async () => {
  const text = write(machine([gpu]));
  expect(text).toContain('NVIDIA A10 with 24 GiB');
  const loaded = await load(text);
  expect(loaded.deployments[0]).toMatchObject({ engine: { kind: 'llama.cpp', gpuLayers: 'all' }, gpus: 1 });
});

test('the first file stays valid with what its comments offer', async () => {
  const offered = write(machine([]))
    .replace('    # port: 18400', '    port: 18400')
    .replace('  # routes:', '  routes:');
  const loaded = await load(offered);
  expect([loaded.deployments[0]?.port, Object.keys(loaded.gateway.routes)]).toEqual([18400, ['gpt-4o-mini']]);
});

test('an id that reads like a number stays an id', async () => {
  for (const id of ['12345678', '1e234567', '00001234'])
    expect((await load(write(machine([]), id))).fleetId).toBe(id);
});

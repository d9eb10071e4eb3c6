import { expect, test } from 'vitest';
import type { Gpu } from '../../domain/hardware.ts';
import { memoryRoom } from './memory-room.ts';

const GiB = 1024 ** 3;
const memory = { totalBytes: 32 * GiB, availableBytes: 20 * GiB, limitBytes: null };
const spare = (32 * GiB) / 20;

function gpu(usedBytes: number): Gpu {
  return {
    vendor: 'nvidia',
    index: 0,
    uuid: null,
    name: 'a GPU',
    memoryBytes: 24 * GiB,
    memoryUsedBytes: usedBytes,
    driver: null,
    computeCapability: null,
    mig: null,
    utilizationPercent: null,
    processes: [],
  };
}

test('memory of others is not ours, that of models on demand is, that of models that always run is not', () => {
  expect(memoryRoom({ memory, gpus: [] }, [])).toEqual({ host: Math.floor(20 * GiB - spare), gpu: null });
  const onDemand = { ownBytes: 2 * GiB, gpuBytes: 0, need: null, onDemand: true };
  expect(memoryRoom({ memory, gpus: [] }, [onDemand]).host).toBe(Math.floor(22 * GiB - spare));
  const always = { ownBytes: GiB, gpuBytes: 0, need: { host: 6 * GiB, gpu: 0 }, onDemand: false };
  expect(memoryRoom({ memory, gpus: [] }, [always]).host).toBe(Math.floor(15 * GiB - spare));
});

test('a control group that allows less is the limit', () => {
  const limited = { ...memory, limitBytes: 8 * GiB };
  expect(memoryRoom({ memory: limited, gpus: [] }, []).host).toBe(Math.floor(8 * GiB * 0.95));
});

test('what a foreign process holds on a GPU is not there', () => {
  const ours = { ownBytes: 0, gpuBytes: 6 * GiB, need: null, onDemand: true };
  expect(memoryRoom({ memory, gpus: [gpu(16 * GiB)] }, [ours]).gpu).toBe(14 * GiB);
});

import { expect, test } from 'vitest';
import { dealtGpus } from './dealt-gpus.ts';
import type { DesiredReplica } from './desired.ts';

function replica(at: number, replicas: number, gpuIds: readonly string[], gpus = 1): DesiredReplica {
  return {
    deployment: { name: 'a', host: 'box', replicas, target: { kind: 'docker', gpuIds } },
    replica: at,
    spec: { devices: { vendor: 'nvidia', count: gpus } },
  } as unknown as DesiredReplica;
}

function dealt(replicas: number, gpuIds: readonly string[], gpus?: number): unknown[] {
  return Array.from({ length: replicas }, (_, at) => {
    const { replica: one, finding } = dealtGpus(replica(at, replicas, gpuIds, gpus));
    return [one.spec.devices.chosen?.ids.join() ?? null, ...(finding ? [finding.message] : [])];
  });
}

test('GPUs that the file names are dealt out in its order, as many to each', () => {
  expect(dealt(2, ['3', '2', '1', '0'], 2)).toEqual([['3,2'], ['1,0']]);
  expect(dealt(3, ['0', '1', '2', '3'])).toEqual([['0'], ['1'], ['2']]);
});

test('one replica has them all, and too few for all are told once', () => {
  expect(dealt(1, ['0', '1'])).toEqual([[null]]);
  expect(dealt(2, ['0', '1', '2'], 2)).toEqual([
    [null, 'target.gpuIds names 3 GPUs, and 2 replicas want 2 each: all of them are given all.'],
    [null],
  ]);
});

import { expect, test } from 'vitest';
import { gpuEnvironment } from './gpu-environment.ts';
import type { LaunchSpec } from './launch-spec.ts';

function env(chosen?: LaunchSpec['devices']['chosen']): Record<string, string> {
  return gpuEnvironment({
    devices: { vendor: 'any', count: 1, ...(chosen ? { chosen } : {}) },
  } as LaunchSpec);
}

test('chosen GPUs are shown by the variable of their vendor; numbers count as the tool does', () => {
  expect(env()).toEqual({});
  expect(env({ vendor: 'nvidia', ids: ['GPU-a', 'GPU-b'] })).toEqual({ CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b' });
  expect(env({ vendor: 'nvidia', ids: ['1'] })).toEqual({
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: '1',
  });
  expect(env({ vendor: 'amd', ids: ['GPU-4f2e'] })).toEqual({ ROCR_VISIBLE_DEVICES: 'GPU-4f2e' });
});

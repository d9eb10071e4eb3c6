import { expect, test } from 'vitest';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { heldBy } from './held-gpus.ts';

function held(devices: Partial<LaunchSpec['devices']>, env: Record<string, string>, target = {}): unknown[] {
  const spec = { devices: { vendor: 'any', count: 0, ...devices }, env } as LaunchSpec;
  return heldBy({ spec, target }).map(({ vendor, id }) => `${vendor} ${id}`);
}

test.each([
  ['CUDA_VISIBLE_DEVICES', 'nvidia', 'nvidia'],
  ['CUDA_VISIBLE_DEVICES', 'amd', 'amd'],
  ['CUDA_VISIBLE_DEVICES', 'any', 'null'],
  ['CUDA_VISIBLE_DEVICES', 'none', 'null'],
  ['HIP_VISIBLE_DEVICES', 'any', 'amd'],
  ['ROCR_VISIBLE_DEVICES', 'amd', 'amd'],
  ['GGML_VK_VISIBLE_DEVICES', 'nvidia', 'null'],
] as const)('%s of an engine built for "%s" names GPUs of: %s', (name, vendor, whose) => {
  expect(held({ vendor }, { [name]: '0, 2' })).toEqual([`${whose} 0`, `${whose} 2`]);
});

test('what berth chose counts before what the target names, and that before variables', () => {
  const env = { CUDA_VISIBLE_DEVICES: '7' };
  const target = { gpuIds: ['1'] };
  const chosen = { vendor: 'amd' as const, ids: ['GPU-aa'] };
  expect(held({ vendor: 'amd', chosen }, env, target)).toEqual(['amd GPU-aa']);
  expect(held({ vendor: 'amd' }, env, target)).toEqual(['amd 1']);
  expect(held({ vendor: 'amd' }, {})).toEqual([]);
});

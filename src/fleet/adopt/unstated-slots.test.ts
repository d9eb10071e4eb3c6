import { expect, test } from 'vitest';
import { unstatedSlots } from './unstated-slots.ts';

const image = 'ghcr.io/ggml-org/llama.cpp:server-cuda';

test.each([
  [`${image}-b7500`, { context: 8192 }, { slots: 4, context: 2048, kvUnified: true }],
  [image, { context: 8192 }, { slots: 4, context: 2048, kvUnified: true }],
  [`${image}-b7500@sha256:0123`, { slots: -1 }, { slots: 4, kvUnified: true }],
  [`${image}-b6000`, { context: 8192 }, {}],
  ['own/llama:b5900', { context: 8192 }, {}],
  [`${image}-b7500`, { slots: 2, context: 2048 }, {}],
])('a llama-server of %s with %j is written with %j', (from, options, written) => {
  expect(unstatedSlots({ engine: 'llama.cpp', options }, from)).toEqual(written);
});

test('other engines have no slots to be told', () => {
  expect(unstatedSlots({ engine: 'vllm', options: { context: 8192 } }, null)).toEqual({});
});

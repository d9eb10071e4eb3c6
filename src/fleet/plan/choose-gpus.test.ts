import { expect, test } from 'vitest';
import type { Gpu } from '../../domain/hardware.ts';
import { chooseGpus } from './choose-gpus.ts';
import type { GpuWish, HeldGpu } from './choose-gpus.ts';

const gib = 1024 ** 3;
const nothing = { staying: [], leaving: [] };

function gpu(index: number, more: Partial<Gpu> = {}): Gpu {
  return {
    vendor: 'nvidia',
    index,
    uuid: `GPU-${index}`,
    name: 'NVIDIA L4',
    memoryBytes: 24 * gib,
    memoryUsedBytes: 0,
    driver: null,
    computeCapability: null,
    mig: false,
    utilizationPercent: null,
    processes: [],
    ...more,
  };
}

function wish(count: number, had: readonly string[] = []): GpuWish {
  return { vendor: 'nvidia', count, had: had.length > 0 ? { vendor: 'nvidia', ids: [...had] } : null };
}

function held(id: string, vendor: HeldGpu['vendor'] = 'nvidia'): HeldGpu[] {
  return [{ vendor, id }];
}

function ids(answers: ReturnType<typeof chooseGpus>): unknown[] {
  return answers.map((one) => (one && 'chosen' in one ? one.chosen.ids.join() : one));
}

test('each replica has GPUs of its own: the emptiest first, then by UUID', () => {
  const four = [gpu(0, { memoryUsedBytes: gib }), gpu(1), gpu(2), gpu(3)];
  expect(ids(chooseGpus(four, [wish(1), wish(2), wish(1)], nothing))).toEqual([
    'GPU-1',
    'GPU-2,GPU-3',
    'GPU-0',
  ]);
});

test('what runs keeps its own, even where another would be emptier and others are asked first', () => {
  const three = [gpu(0, { memoryUsedBytes: 20 * gib }), gpu(1), gpu(2)];
  expect(ids(chooseGpus(three, [wish(1), wish(1, ['GPU-1']), wish(1, ['0'])], nothing))).toEqual([
    'GPU-2',
    'GPU-1',
    '0',
  ]);
});

test('what it had is not kept where it is gone, somebody else’s, or not as many as are wanted by now', () => {
  const two = [gpu(0), gpu(1)];
  expect(ids(chooseGpus(two, [wish(1, ['GPU-9'])], nothing))).toEqual(['GPU-0']);
  expect(ids(chooseGpus(two, [wish(1, ['GPU-0'])], { staying: held('0'), leaving: [] }))).toEqual(['GPU-1']);
  expect(ids(chooseGpus(two, [wish(2, ['GPU-1'])], nothing))).toEqual(['GPU-0,GPU-1']);
  expect(ids(chooseGpus(two, [wish(1, ['GPU-0']), wish(1, ['GPU-0'])], nothing))).toEqual(['GPU-0', 'GPU-1']);
});

test('those of engines that are to end come last, those of engines that stay never', () => {
  const three = [gpu(0), gpu(1), gpu(2)];
  const holds = { staying: held('GPU-1'), leaving: held('GPU-0') };
  expect(ids(chooseGpus(three, [wish(1), wish(1), wish(1)], holds))).toEqual([
    'GPU-2',
    'GPU-0',
    { left: 0, there: 3 },
  ]);
});

test('too few are told, and the next one that wants less still has what is left', () => {
  expect(ids(chooseGpus([gpu(0)], [wish(2), wish(1)], nothing))).toEqual([{ left: 1, there: 1 }, 'GPU-0']);
});

test('nothing is said of machines that tell of no GPU of that vendor, or whose GPUs are split', () => {
  expect(chooseGpus([], [wish(1)], nothing)).toEqual([null]);
  expect(chooseGpus([gpu(0, { vendor: 'amd' })], [wish(1)], nothing)).toEqual([null]);
  expect(chooseGpus([gpu(0, { mig: true }), gpu(1)], [wish(1)], nothing)).toEqual([null]);
  expect(chooseGpus([gpu(0, { uuid: null })], [wish(1)], nothing)).toEqual([null]);
});

test('an unique id of AMD is written as its variable takes it, and one that any vendor will do gets those there are', () => {
  const cards = [
    gpu(0, { vendor: 'amd', uuid: '0x4f2e', mig: null }),
    gpu(1, { vendor: 'amd', uuid: '0x11aa' }),
  ];
  expect(chooseGpus(cards, [{ vendor: 'any', count: 1, had: null }], nothing)).toEqual([
    { chosen: { vendor: 'amd', ids: ['GPU-11aa'] } },
  ]);
});

test('an index of one maker says nothing of the GPUs of another, and one of nobody’s keeps both from being given away', () => {
  const both = [
    gpu(0),
    gpu(1),
    gpu(0, { vendor: 'amd', uuid: '0xaa' }),
    gpu(1, { vendor: 'amd', uuid: '0xbb' }),
  ];
  const wishes = [wish(1), { ...wish(1), vendor: 'amd' as const }];
  function given(staying: readonly HeldGpu[]): unknown[] {
    return ids(chooseGpus(both, wishes, { staying, leaving: [] }));
  }
  expect(given([])).toEqual(['GPU-0', 'GPU-aa']);
  expect(given(held('0', 'nvidia'))).toEqual(['GPU-1', 'GPU-aa']);
  expect(given(held('0', 'amd'))).toEqual(['GPU-0', 'GPU-bb']);
  expect(given(held('0', null))).toEqual(['GPU-1', 'GPU-bb']);
  const had = { vendor: 'amd' as const, count: 1, had: { vendor: 'amd' as const, ids: ['1'] } };
  expect(ids(chooseGpus(both, [had], { staying: held('1', 'nvidia'), leaving: [] }))).toEqual(['1']);
});

import { expect, test } from 'vitest';
import { gpuQuery, parseNvidia, processQuery } from './nvidia.ts';

const mib = 1024 * 1024;
const uuid = 'GPU-11111111-2222-3333-4444-555555555555';
const h200 = `0, ${uuid}, 00000000:18:00.0, NVIDIA H200, 143771, 2563, 600, 37, 41, 118.22, Disabled, 580.159.03, 9.0`;

test('both queries ask for bare figures', () => {
  expect(gpuQuery.join(' ')).toContain('--query-gpu=index,uuid,pci.bus_id,name,memory.total,');
  expect(processQuery.at(-1)).toBe('--format=csv,noheader,nounits');
});

test('a GPU and who holds its memory are read, also where a program has commas in its name', () => {
  const processes = `${uuid}, 4711, /usr/bin/llama-server, 2048\n${uuid}, 4712, python3 -c a,b, 12\nGPU-x, 1, other, 1\n`;
  expect(parseNvidia(`${h200}\n`, processes)).toEqual([
    {
      vendor: 'nvidia',
      index: 0,
      uuid,
      name: 'NVIDIA H200',
      memoryBytes: 143_771 * mib,
      memoryUsedBytes: 2563 * mib,
      driver: '580.159.03',
      computeCapability: '9.0',
      mig: false,
      utilizationPercent: 37,
      processes: [
        { pid: 4711, name: '/usr/bin/llama-server', memoryBytes: 2048 * mib },
        { pid: 4712, name: 'python3 -c a, b', memoryBytes: 12 * mib },
      ],
    },
  ]);
});

test('what the driver does not tell is unknown, not zero', () => {
  const row = `1, ${uuid}, 00000000:01:00.0, NVIDIA GB10, [N/A], [N/A], [N/A], [N/A], 40, [Not Supported], [N/A], 580.95, 12.1`;
  expect(parseNvidia(row, `${uuid}, 5, python3, [N/A]`)[0]).toMatchObject({
    memoryBytes: null,
    memoryUsedBytes: null,
    utilizationPercent: null,
    mig: null,
    processes: [{ pid: 5, memoryBytes: null }],
  });
});

test('a card split into MIG instances says so', () => {
  expect(parseNvidia(h200.replace('Disabled', 'Enabled'), '')[0]?.mig).toBe(true);
});

test('anything else than rows of figures is no GPU', () => {
  expect(parseNvidia('No devices were found\n', '')).toEqual([]);
  expect(parseNvidia('', 'garbage')).toEqual([]);
});

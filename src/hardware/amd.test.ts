import { expect, test } from 'vitest';
import { amdFromSysfs, parseRocm } from './amd.ts';

test('cards of rocm-smi are read whatever the case of its keys', () => {
  const text = JSON.stringify({
    card0: {
      'Unique ID': '0xabc',
      'VRAM Total Memory (B)': '25753026560',
      'VRAM Total Used Memory (B)': '1000',
      'Card Series': 'Radeon RX 7900 XTX',
      'GPU use (%)': '12',
    },
    card1: { 'Card series': 'Instinct', 'VRAM Total Memory (B)': 'N/A' },
    system: { 'Driver version': '6.8' },
  });
  expect(parseRocm(text)).toMatchObject([
    {
      vendor: 'amd',
      index: 0,
      uuid: '0xabc',
      name: 'Radeon RX 7900 XTX',
      memoryBytes: 25_753_026_560,
      memoryUsedBytes: 1000,
    },
    { index: 1, name: 'Instinct', memoryBytes: null },
  ]);
  expect(parseRocm('ERROR: no devices')).toEqual([]);
});

test('without a tool the kernel tells memory and load', () => {
  expect(amdFromSysfs([{ index: 0, total: '17163091968\n', used: '5\n', busy: null }])).toMatchObject([
    { name: 'AMD GPU', memoryBytes: 17_163_091_968, memoryUsedBytes: 5, utilizationPercent: null },
  ]);
});

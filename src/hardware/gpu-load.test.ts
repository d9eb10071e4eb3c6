import { expect, test } from 'vitest';
import { parseDcgm, parseNvidiaLoad, parseRocmLoad } from './gpu-load.ts';

const mib = 1024 * 1024;

test('nvidia-smi: figures in brackets are unknown, and a GPU without a UUID has its number', () => {
  const text = `0, GPU-11111111-2222-3333-4444-555555555555, NVIDIA H200, 37, 2563, 118.22
1, [N/A], NVIDIA GB10, [N/A], [Not Supported], [N/A]
`;
  expect(parseNvidiaLoad(text)).toEqual([
    {
      gpu: 'GPU-11111111-2222-3333-4444-555555555555',
      name: 'NVIDIA H200',
      utilization: 0.37,
      memoryBytes: 2563 * mib,
      watts: 118.22,
      joules: null,
    },
    { gpu: 'nvidia 1', name: 'NVIDIA GB10', utilization: null, memoryBytes: null, watts: null, joules: null },
  ]);
  expect(parseNvidiaLoad('No devices were found\n')).toEqual([]);
});

test.each(['Average Graphics Package Power (W)', 'Current Socket Graphics Package Power (W)'])(
  'rocm-smi: %s is the power',
  (power) => {
    const card = {
      'Unique ID': '0x5c88007a6e5b2d0f',
      'GPU use (%)': '98',
      'VRAM Total Memory (B)': '68702699520',
      'VRAM Total Used Memory (B)': '13234176',
      [power]: '251.0',
      'Card Series': 'AMD INSTINCT MI250',
    };
    const text = JSON.stringify({ card0: card, card1: { 'GPU use (%)': 'N/A' }, system: {} });
    expect(parseRocmLoad(text)).toEqual([
      {
        gpu: '0x5c88007a6e5b2d0f',
        name: 'AMD INSTINCT MI250',
        utilization: 0.98,
        memoryBytes: 13_234_176,
        watts: 251,
        joules: null,
      },
      { gpu: 'amd 1', name: null, utilization: null, memoryBytes: null, watts: null, joules: null },
    ]);
    expect(parseRocmLoad('WARNING: no card')).toEqual([]);
  },
);

test('a DCGM exporter: one GPU a UUID, energy in millijoules, what it does not export is unknown', () => {
  const labels =
    'gpu="0",UUID="GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52",device="nvidia0",modelName="NVIDIA T1000 8GB"';
  const text = `# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{${labels}} 42
DCGM_FI_DEV_FB_USED{${labels}} 1024
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${labels}} 129600000
`;
  expect(parseDcgm(text)).toEqual([
    {
      gpu: 'GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52',
      name: 'NVIDIA T1000 8GB',
      utilization: 0.42,
      memoryBytes: 1024 * mib,
      watts: null,
      joules: 129_600,
    },
  ]);
});

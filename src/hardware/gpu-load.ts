import { z } from 'zod';
import type { GpuSample } from '../domain/run/server-sample.ts';
import { readPrometheusRows } from '../stats/prometheus-read.ts';
import type { PrometheusRow } from '../stats/prometheus-read.ts';
import { known, number } from './nvidia.ts';

export const nvidiaLoadQuery = [
  'nvidia-smi',
  '--query-gpu=index,uuid,name,utilization.gpu,memory.used,power.draw',
  '--format=csv,noheader,nounits',
];
export const rocmLoadQuery = [
  'rocm-smi',
  '--showproductname',
  '--showuniqueid',
  '--showuse',
  '--showmeminfo',
  'vram',
  '--showpower',
  '--json',
];

const mebibyte = 1024 * 1024;

/** Rows of nvidia-smi, one a GPU; what a driver does not tell it prints in brackets: "[N/A]". */
export function parseNvidiaLoad(text: string): GpuSample[] {
  return text.split('\n').flatMap((line) => {
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.length < 6 || !/^\d+$/.test(cells[0] ?? '')) return [];
    return [
      {
        gpu: known(cells[1]) ?? `nvidia ${cells[0]}`,
        name: known(cells[2]),
        utilization: scaled(number(cells[3]), 0.01),
        memoryBytes: scaled(number(cells[4]), mebibyte),
        watts: number(cells[5]),
        joules: null,
      },
    ];
  });
}

const Cards = z.record(z.string(), z.record(z.string(), z.unknown()));

/** rocm-smi prints one object a card, all values as text; the names of its power figures changed over versions. */
export function parseRocmLoad(text: string): GpuSample[] {
  const cards = Cards.safeParse(parseJson(text)).data ?? {};
  return Object.entries(cards).flatMap(([card, fields]) => {
    if (!/^card\d+$/.test(card)) return [];
    function field(wanted: RegExp): string | undefined {
      const value = Object.entries(fields).find(([name]) => wanted.test(name))?.[1];
      return typeof value === 'string' ? value : undefined;
    }
    return [
      {
        gpu: known(field(/^unique id$/i)) ?? `amd ${card.slice(4)}`,
        name: known(field(/^card series$/i)),
        utilization: scaled(number(field(/^gpu use \(%\)$/i)), 0.01),
        memoryBytes: number(field(/^vram total used memory \(b\)$/i)),
        watts: number(field(/^(average|current socket) graphics package power \(w\)$/i)),
        joules: null,
      },
    ];
  });
}

/** The metrics of NVIDIA's DCGM exporter: one series a GPU, memory in MiB, energy in mJ since the driver was loaded. */
export function parseDcgm(text: string): GpuSample[] {
  const rows = readPrometheusRows(text);
  const found = new Map<string, Map<string, PrometheusRow>>();
  for (const [metric, series] of rows) {
    if (!metric.startsWith('DCGM_FI_DEV_')) continue;
    for (const row of series) {
      const gpu = row.labels['UUID'] ?? `nvidia ${row.labels['gpu'] ?? '?'}`;
      const known = found.get(gpu) ?? new Map<string, PrometheusRow>();
      found.set(gpu, known.set(metric.slice('DCGM_FI_DEV_'.length), row));
    }
  }
  return [...found].map(([gpu, figures]) => {
    function value(metric: string): number | null {
      return figures.get(metric)?.value ?? null;
    }
    return {
      gpu,
      name: [...figures.values()][0]?.labels['modelName'] ?? null,
      utilization: scaled(value('GPU_UTIL'), 0.01),
      memoryBytes: scaled(value('FB_USED'), mebibyte),
      watts: value('POWER_USAGE'),
      joules: scaled(value('TOTAL_ENERGY_CONSUMPTION'), 0.001),
    };
  });
}

function scaled(value: number | null, by: number): number | null {
  return value === null ? null : value * by;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

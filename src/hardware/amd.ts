import { z } from 'zod';
import type { Gpu } from '../domain/hardware.ts';

export const rocmQuery = [
  'rocm-smi',
  '--showproductname',
  '--showuniqueid',
  '--showmeminfo',
  'vram',
  '--showuse',
  '--json',
];

const Cards = z.record(z.string(), z.record(z.string(), z.unknown()));

/** rocm-smi prints one object per card, "card0" and so on, all values as text, with keys that changed in case over versions. */
export function parseRocm(text: string): Gpu[] {
  const cards = Cards.safeParse(parseJson(text)).data ?? {};
  return Object.entries(cards).flatMap(([name, fields]) => {
    const index = /^card(\d+)$/.exec(name)?.[1];
    if (index === undefined) return [];
    return [
      {
        ...unknownAmd(Number(index)),
        uuid: field(fields, /^unique id$/i),
        name: field(fields, /^card series$/i) ?? field(fields, /^card model$/i) ?? 'AMD GPU',
        memoryBytes: toBytes(field(fields, /^vram total memory \(b\)$/i)),
        memoryUsedBytes: toBytes(field(fields, /^vram total used memory \(b\)$/i)),
        utilizationPercent: toBytes(field(fields, /^gpu use \(%\)$/i)),
      },
    ];
  });
}

/** What the kernel tells without any tool, per card: texts of mem_info_vram_total, mem_info_vram_used and gpu_busy_percent. */
export function amdFromSysfs(
  cards: readonly { index: number; total: string | null; used: string | null; busy: string | null }[],
): Gpu[] {
  return cards.map((card) => ({
    ...unknownAmd(card.index),
    memoryBytes: toBytes(card.total),
    memoryUsedBytes: toBytes(card.used),
    utilizationPercent: toBytes(card.busy),
  }));
}

function unknownAmd(index: number): Gpu {
  return {
    vendor: 'amd',
    index,
    uuid: null,
    name: 'AMD GPU',
    memoryBytes: null,
    memoryUsedBytes: null,
    driver: null,
    computeCapability: null,
    mig: null,
    utilizationPercent: null,
    processes: [],
  };
}

function field(fields: Readonly<Record<string, unknown>>, wanted: RegExp): string | null {
  const value = Object.entries(fields).find(([name]) => wanted.test(name))?.[1];
  return typeof value === 'string' && value !== '' && value !== 'N/A' ? value : null;
}

function toBytes(text: string | null): number | null {
  const value = Number(text?.trim() || NaN);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

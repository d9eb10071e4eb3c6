import type { Gpu } from '../domain/hardware.ts';

const gpuFields = [
  'index',
  'uuid',
  'pci.bus_id',
  'name',
  'memory.total',
  'memory.used',
  'memory.reserved',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
  'mig.mode.current',
  'driver_version',
  'compute_cap',
];
const format = '--format=csv,noheader,nounits';

export const gpuQuery = ['nvidia-smi', `--query-gpu=${gpuFields.join(',')}`, format];
export const processQuery = [
  'nvidia-smi',
  '--query-compute-apps=gpu_uuid,pid,process_name,used_memory',
  format,
];

const mebibyte = 1024 * 1024;

/** Rows of both queries. What a driver does not tell it prints in brackets: "[N/A]", "[Not Supported]". */
export function parseNvidia(gpus: string, processes: string): Gpu[] {
  const holders = rows(processes).map(([uuid = '', pid, name = '', used]) => ({
    uuid,
    process: { pid: Number(pid), name, memoryBytes: mebibytes(used) },
  }));
  return rows(gpus).flatMap((cells) => {
    const index = Number(cells[0]);
    if (!Number.isInteger(index) || cells.length < gpuFields.length) return [];
    const uuid = known(cells[1]);
    return [
      {
        vendor: 'nvidia' as const,
        index,
        uuid,
        name: cells[3] ?? 'NVIDIA GPU',
        memoryBytes: mebibytes(cells[4]),
        memoryUsedBytes: mebibytes(cells[5]),
        driver: known(cells[11]),
        computeCapability: known(cells[12]),
        mig: { Enabled: true, Disabled: false }[cells[10] ?? ''] ?? null,
        utilizationPercent: number(cells[7]),
        processes: holders.filter((holder) => holder.uuid === uuid).map((holder) => holder.process),
      },
    ];
  });
}

/** Process names may hold commas; the fields around them do not. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = line.split(',').map((cell) => cell.trim());
      if (cells.length <= 4 || cells.length >= gpuFields.length) return cells;
      return [cells[0] ?? '', cells[1] ?? '', cells.slice(2, -1).join(', '), cells.at(-1) ?? ''];
    });
}

export function known(cell: string | undefined): string | null {
  return cell === undefined || cell === '' || /^\[.*\]$|^N\/A$/.test(cell) ? null : cell;
}

export function number(cell: string | undefined): number | null {
  const value = Number(known(cell) ?? NaN);
  return Number.isFinite(value) ? value : null;
}

function mebibytes(cell: string | undefined): number | null {
  const value = number(cell);
  return value === null ? null : Math.round(value * mebibyte);
}

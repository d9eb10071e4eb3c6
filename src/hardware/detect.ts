import type { Gpu, Hardware } from '../domain/hardware.ts';
import type { World } from '../io/world.ts';
import { amdFromSysfs, parseRocm, rocmQuery } from './amd.ts';
import { readCgroupLimits } from './cgroup-limits.ts';
import { parseCpuInfo, parseCpuList } from './cpu.ts';
import { gpuQuery, parseNvidia, processQuery } from './nvidia.ts';

interface DetectOptions {
  /** Root of sysfs; "/sys" outside tests. */
  readonly sys?: string;
  /** How long a GPU tool may take. A driver without persistence needs over a second to wake. */
  readonly timeoutMs?: number;
}

/** What this machine has to compute with, within the limits that our own process runs under. */
export async function detectHardware(world: World, options: DetectOptions = {}): Promise<Hardware> {
  const sys = options.sys ?? '/sys';
  const timeoutMs = options.timeoutMs ?? 1500;
  const [cpu, memory, nvidia, amd] = await Promise.all([
    detectCpu(world, { sys }),
    detectMemory(world, { sys }),
    detectNvidia(world, timeoutMs),
    detectAmd(world, { sys, timeoutMs }),
  ]);
  return { cpu, memory, gpus: [...nvidia.gpus, ...amd.gpus], notes: [...nvidia.notes, ...amd.notes] };
}

export async function detectCpu(world: World, options: { sys?: string } = {}): Promise<Hardware['cpu']> {
  const status = (await world.files.read(`${world.proc}/self/status`)) ?? '';
  const allowed = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1]);
  const limits = await ownLimits(world, options.sys ?? '/sys');
  const cpu = parseCpuInfo((await world.files.read(`${world.proc}/cpuinfo`)) ?? '', allowed);
  return { ...cpu, quotaCores: limits.quotaCores };
}

export async function detectMemory(
  world: World,
  options: { sys?: string } = {},
): Promise<Hardware['memory']> {
  const text = (await world.files.read(`${world.proc}/meminfo`)) ?? '';
  const limits = await ownLimits(world, options.sys ?? '/sys');
  return {
    totalBytes: meminfoBytes(text, 'MemTotal') ?? 0,
    availableBytes: meminfoBytes(text, 'MemAvailable'),
    limitBytes: limits.memoryBytes,
  };
}

/** /proc/meminfo counts in KiB and calls them kB. */
function meminfoBytes(text: string, name: string): number | null {
  const digits = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return digits === undefined ? null : Number(digits) * 1024;
}

async function ownLimits(world: World, sys: string): ReturnType<typeof readCgroupLimits> {
  return readCgroupLimits(world, {
    sys,
    cgroup: (await world.files.read(`${world.proc}/self/cgroup`)) ?? '',
  });
}

interface Found {
  readonly gpus: readonly Gpu[];
  readonly notes: readonly string[];
}

/** The GPUs of this machine; none where no tool tells of them. A driver that sleeps is waited for. */
export async function detectGpus(world: World): Promise<Gpu[]> {
  const found = await Promise.all([
    detectNvidia(world, patientMs),
    detectAmd(world, { sys: '/sys', timeoutMs: patientMs }),
  ]);
  return found.flatMap((one) => one.gpus);
}

const patientMs = 10_000;

async function detectNvidia(world: World, timeoutMs: number): Promise<Found> {
  const [gpus, processes] = await Promise.all(
    [gpuQuery, processQuery].map((query) => world.exec.run(query, { timeoutMs })),
  );
  if (gpus?.code === 0) return { gpus: parseNvidia(gpus.stdout, processes?.stdout ?? ''), notes: [] };
  const driver = await world.files.read(`${world.proc}/driver/nvidia/version`);
  if (gpus?.signal) return { gpus: [], notes: [`nvidia-smi did not answer within ${timeoutMs} ms.`] };
  if (gpus?.code === null) {
    return { gpus: [], notes: driver ? ['The NVIDIA driver is loaded, but nvidia-smi is not on PATH.'] : [] };
  }
  const reason = (gpus?.stdout || gpus?.stderr || '').trim().split('\n')[0] ?? '';
  return { gpus: [], notes: [`nvidia-smi failed: ${reason}`] };
}

async function detectAmd(world: World, options: { sys: string; timeoutMs: number }): Promise<Found> {
  const folder = `${options.sys}/class/drm`;
  const names = await world.files.list(folder);
  const cards = await Promise.all(
    names
      .filter((name) => /^card\d+$/.test(name))
      .toSorted()
      .map(async (name) => ({
        index: Number(name.slice(4)),
        total: await world.files.read(`${folder}/${name}/device/mem_info_vram_total`),
        used: await world.files.read(`${folder}/${name}/device/mem_info_vram_used`),
        busy: await world.files.read(`${folder}/${name}/device/gpu_busy_percent`),
      })),
  );
  const amd = cards.filter((card) => card.total !== null);
  if (amd.length === 0) return { gpus: [], notes: [] };
  const told = await world.exec.run(rocmQuery, { timeoutMs: options.timeoutMs });
  const gpus = told.code === 0 ? parseRocm(told.stdout) : [];
  return { gpus: gpus.length > 0 ? gpus : amdFromSysfs(amd), notes: [] };
}

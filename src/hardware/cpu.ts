import type { Hardware } from '../domain/hardware.ts';

/** Instruction sets that decide which build of an engine runs well. */
const wanted = [
  'sse4_2',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'bmi2',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'avx_vnni',
];
const wantedArm = ['asimd', 'asimdhp', 'asimddp', 'i8mm', 'bf16', 'sve', 'sve2', 'sme'];
const wantedTiles = ['amx_tile', 'amx_int8', 'amx_bf16'];

type Cpu = Omit<Hardware['cpu'], 'quotaCores'>;

/**
 * Reads /proc/cpuinfo, counting only the processors of `allowed` (the affinity of our process). Where it names
 * no cores (arm64, some virtual machines) every processor is a core of its own.
 */
export function parseCpuInfo(text: string, allowed: ReadonlySet<number> | null): Cpu {
  const blocks = text
    .split(/\n\s*\n/)
    .map(parseBlock)
    .filter((block) => block.has('processor'));
  const ours = blocks.filter((block) => !allowed || allowed.has(Number(block.get('processor'))));
  const used = ours.length > 0 ? ours : blocks;
  const cores = new Set(
    used.map((block) =>
      block.has('core id')
        ? `${block.get('physical id') ?? 0}/${block.get('core id')}`
        : `processor ${block.get('processor')}`,
    ),
  );
  const first = used[0];
  const flags = (first?.get('flags') ?? first?.get('Features') ?? '').split(/\s+/);
  return {
    model: first?.get('model name') ?? null,
    physicalCores: Math.max(1, cores.size),
    logicalCores: Math.max(1, used.length),
    features: [...wanted, ...wantedTiles, ...wantedArm].filter((name) => flags.includes(name)),
  };
}

function parseBlock(block: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return fields;
}

/** "0-3,8" as the kernel lists processors (Cpus_allowed_list); null when the text has no list. */
export function parseCpuList(text: string | undefined): Set<number> | null {
  if (!text || !/^[\d,-]+$/.test(text.trim())) return null;
  const numbers = new Set<number>();
  for (const range of text.trim().split(',')) {
    const [from, to = from] = range.split('-').map(Number);
    for (let n = from ?? 0; n <= (to ?? 0); n += 1) numbers.add(n);
  }
  return numbers;
}

import type { Gpu } from '../../domain/hardware.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';

export type GpuChoice = NonNullable<LaunchSpec['devices']['chosen']>;

/** What one replica wants of the GPUs of its machine. */
export interface GpuWish {
  readonly vendor: 'nvidia' | 'amd' | 'any';
  readonly count: number;
  /** What it was given before; it keeps them while they are there and nobody else's. */
  readonly had: GpuChoice | null;
}

/** One that somebody has, by UUID or by the index that its maker's tool gives it. `vendor` null: nobody says whose index it is. */
export interface HeldGpu {
  readonly vendor: GpuChoice['vendor'] | null;
  readonly id: string;
}

/** GPUs that others have. */
export interface GpuHolds {
  /** Of those that stay. */
  readonly staying: readonly HeldGpu[];
  /** Of those that the plan is to end: they are taken last. */
  readonly leaving: readonly HeldGpu[];
}

export type GpuAnswer =
  | { readonly chosen: GpuChoice }
  /** Fewer are left than it wants. */
  | { readonly left: number; readonly there: number }
  /** Nothing can be said: the machine tells of no such GPUs, or has some that are split. */
  | null;

/** Gives each wish GPUs of its own, the emptiest first, then by UUID. Pure: the same input gives the same choice. */
export function chooseGpus(
  all: readonly Gpu[],
  wishes: readonly GpuWish[],
  holds: GpuHolds,
): readonly GpuAnswer[] {
  const taken = new Set(holds.staying.flatMap((one) => namesOf(all, one)));
  const kept = wishes.map((wish) => keeps(all, wish, taken));
  const leaving = new Set(holds.leaving.flatMap((one) => namesOf(all, one)));
  return wishes.map((wish, at) => {
    const had = kept[at];
    if (had) return { chosen: had };
    const there = candidates(all, wish.vendor);
    const [first] = there;
    if (!first) return null;
    const left = there
      .filter((gpu) => !taken.has(nameOf(gpu)))
      .toSorted(
        (a, b) =>
          Number(leaving.has(nameOf(a))) - Number(leaving.has(nameOf(b))) ||
          freeBytes(b) - freeBytes(a) ||
          (nameOf(a) < nameOf(b) ? -1 : 1),
      );
    if (left.length < wish.count) return { left: left.length, there: there.length };
    const ids = left.slice(0, wish.count).map(nameOf);
    for (const id of ids) taken.add(id);
    return { chosen: { vendor: first.vendor, ids } };
  });
}

/** Its own of before, which nobody else is given then; null where they are gone, others', or not as many. */
function keeps(all: readonly Gpu[], { vendor, count, had }: GpuWish, taken: Set<string>): GpuChoice | null {
  if (had?.ids.length !== count || (vendor !== 'any' && had.vendor !== vendor)) return null;
  const known = new Set(candidates(all, had.vendor).map(nameOf));
  const own = had.ids.flatMap((id) => namesOf(all, { vendor: had.vendor, id }));
  if (own.some((id) => !known.has(id) || taken.has(id))) return null;
  for (const id of own) taken.add(id);
  return had;
}

/** Of one vendor, whole ones that have a name. Where some are split, nothing is known of their parts. */
function candidates(all: readonly Gpu[], vendor: GpuWish['vendor']): readonly Gpu[] {
  const wanted = vendor === 'any' ? (all[0]?.vendor ?? 'nvidia') : vendor;
  const those = all.filter((gpu) => gpu.vendor === wanted);
  return those.some((gpu) => gpu.mig === true || gpu.uuid === null) ? [] : those;
}

/** As the variable of its vendor takes it: of AMD the tool tells "0x4f2e…", which is "GPU-4f2e…" there. */
function nameOf({ vendor, uuid, index }: Gpu): string {
  if (uuid === null) return String(index);
  return vendor === 'amd' ? `GPU-${uuid.replace(/^(GPU-|0x)/i, '')}` : uuid;
}

/** Each maker counts its own from 0. An index of nobody's may mean one of each. */
function namesOf(all: readonly Gpu[], { vendor, id }: HeldGpu): string[] {
  const meant = all.filter((gpu) => String(gpu.index) === id && (vendor ?? gpu.vendor) === gpu.vendor);
  return meant.length > 0 ? meant.map(nameOf) : [id];
}

function freeBytes({ memoryBytes, memoryUsedBytes }: Gpu): number {
  return memoryBytes === null || memoryUsedBytes === null ? 0 : memoryBytes - memoryUsedBytes;
}

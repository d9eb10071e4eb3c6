import { z } from 'zod';
import { ProcessId } from '../../domain/instance.ts';
import { Restarts } from '../../domain/restarts.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { lockHolder, tryLock } from '../../io/lock.ts';
import { readBootId, readProcess } from '../../io/procfs.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths, upLock } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';

/** What a running `berth up` says of itself, in a file that is void once its process is gone. */
export const UpState = z.strictObject({
  version: z.literal(1),
  fleet: z.string(),
  fleetId: z.string(),
  process: ProcessId,
  files: z.array(z.string()),
  /** `insideUrl`: for berth itself, in the clear on loopback where `url` is behind TLS. */
  gateway: z.strictObject({ url: z.string(), insideUrl: z.string().optional(), pid: z.int() }).nullable(),
  console: z.strictObject({ url: z.string() }).nullable(),
  startedAt: z.iso.datetime(),
  /** Why the latest fleet file is not in force; null while it is. */
  refused: z.string().nullable(),
  restarts: Restarts.default([]),
  /** Deployments on demand whose models are on their way here. */
  fetching: z.array(z.string()).default([]),
  /** Deployments on demand that could not be fetched or started the last time, and why. */
  failed: z.record(z.string(), z.string()).default({}),
});
export type UpState = z.infer<typeof UpState>;

/** The `berth up` of this fleet; null when none runs. */
export async function readUpState(world: World, fleet: FleetIdentity): Promise<UpState | null> {
  const text = await world.files.read(fleetPaths(world, fleet).up);
  if (text === null) return null;
  const state = parse(text);
  return state && isProcess(world, state.process) ? state : null;
}

function parse(text: string): UpState | null {
  try {
    return UpState.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** What to tell whoever would bring this fleet up once more; null when nobody else serves it or is about to. */
export async function alreadyUp(world: World, fleet: FleetIdentity): Promise<BerthError | null> {
  const [state, holder] = await Promise.all([readUpState(world, fleet), lockHolder(upLock(world, fleet))]);
  if (state === null && holder === null) return null;
  return new BerthError('ALREADY_UP', {
    fleet: fleet.fleet,
    pid: state?.process.pid ?? Number(holder),
    gateway: state?.gateway?.url ?? null,
    console: state?.console?.url ?? null,
  });
}

/** Held as long as the control process of a fleet lives. Throws ALREADY_UP. */
export async function takeUpLock(world: World, fleet: FleetIdentity): Promise<Disposable> {
  for (;;) {
    const lock = await tryLock(upLock(world, fleet), String(process.pid));
    if (lock) return lock;
    // Who held it may have ended in between.
    const other = await alreadyUp(world, fleet);
    if (other) throw other;
  }
}

/** True while the very process of this identity runs. */
export function isProcess(world: World, id: ProcessId): boolean {
  const entry = readProcess(world.proc, id.pid);
  if (!entry) return false;
  return id.bootId === readBootId(world.proc) && id.startTicks === entry.startTicks;
}

/** The identity of this very process. */
export function ownProcess(world: World): ProcessId {
  const entry = readProcess(world.proc, process.pid);
  return { bootId: readBootId(world.proc), pid: process.pid, startTicks: entry?.startTicks ?? 0 };
}

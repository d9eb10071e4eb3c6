import { join } from 'node:path';
import { isInPart, isSamePlace } from '../../domain/fleet-part.ts';
import type { FleetPart, ReplicaPlace } from '../../domain/fleet-part.ts';
import type { World } from '../../io/world.ts';
import type { MarkedPlace } from '../contract.ts';
import { markedProcesses } from './marks.ts';

/**
 * Root's processes are changed by whoever is root, whatever state folder they go by: so what ran lies beside what root has recorded of
 * its marks, where nobody else may write, and goes with the boot. A user's own processes are nobody else's, and their user's folder
 * has all that is known of them.
 */
const folder = '/run/berth/ran';

function folderOf({ fleet, fleetId }: FleetPart): string {
  return join(folder, `${fleet}-${fleetId}`);
}

function pathOf(place: ReplicaPlace): string {
  return join(folderOf(place), `${place.deployment}-${place.replica}.json`);
}

function filesOf(place: ReplicaPlace): string {
  return pathOf(place).replace(/\.json$/, '.given');
}

/** What was kept for the processes of this place; null where nothing was. */
export async function readRecord(world: World, place: MarkedPlace): Promise<string | null> {
  return world.uid === 0 ? world.files.read(pathOf(place)) : null;
}

/** One of the files that were kept with it; null where it is not there. */
export async function readRecordFile(world: World, place: MarkedPlace, name: string): Promise<string | null> {
  return world.uid === 0 ? world.files.read(join(filesOf(place), name)) : null;
}

/** Keeps a text for root's processes of this place, and these files in place of those of before. Nothing where none runs. */
export async function keepRecord(
  world: World,
  place: MarkedPlace,
  text: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  if (world.uid !== 0 || !(await runs(world, place))) return;
  const there = await world.files.list(filesOf(place));
  for (const [name, held] of Object.entries(files))
    if (!there.includes(name)) await world.files.write(join(filesOf(place), name), held, 0o600);
  await world.files.write(pathOf(place), `${text}\n`, 0o600);
  for (const name of there) if (!(name in files)) await world.files.remove(join(filesOf(place), name));
}

/** Takes away what was kept for these places, whatever became of their processes. */
export async function dropRecord(world: World, part: FleetPart): Promise<void> {
  if (world.uid !== 0) return;
  const names = await world.files.list(folderOf(part));
  const own = names.filter((name) => isInPart(name.replace(/\.(json|given)$/, ''), part));
  for (const name of own) await world.files.remove(join(folderOf(part), name));
  if (own.length > 0 && own.length === names.length) await world.files.remove(folderOf(part));
}

/** The same, once none of this place runs any more. */
export async function dropUnused(world: World, place: ReplicaPlace): Promise<void> {
  if (world.uid === 0 && !(await runs(world, place))) await dropRecord(world, place);
}

async function runs(world: World, place: ReplicaPlace): Promise<boolean> {
  return (await markedProcesses(world)).some(({ mark }) => isSamePlace(mark, place));
}

import { dirname, join } from 'node:path';
import { isInPart, isSamePlace } from '../../domain/fleet-part.ts';
import type { FleetPart, ReplicaPlace } from '../../domain/fleet-part.ts';
import type { World } from '../../io/world.ts';
import type { MarkedPlace } from '../contract.ts';
import { markedUnits } from './observe.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { removeFiles, writeFiles } from './write-files.ts';

/** Beside the files of units, for whoever may change the system's: a user's own units are nobody else's. */
export function recordPath(scope: Scope, { fleet, fleetId, deployment, replica }: ReplicaPlace): string {
  return join(dirname(scope.config), 'ran', `${fleet}-${fleetId}`, `${deployment}-${replica}.json`);
}

/** The files and folders of it, innermost first. */
export function recordFolders(scope: Scope, place: ReplicaPlace): string[] {
  const path = recordPath(scope, place);
  const files = filesFolder(scope, place);
  return [`${files}/*`, files, path, dirname(path), dirname(dirname(path))];
}

/** What the engines of it were given, by names. */
function filesFolder(scope: Scope, place: ReplicaPlace): string {
  return recordPath(scope, place).replace(/\.json$/, '.given');
}

/** What was kept for the units of this place; null where nothing was. */
export async function readRecord(world: World, place: MarkedPlace): Promise<string | null> {
  return world.files.read(recordPath(scopeOf(world), place)).catch(() => null);
}

/** One of the files that were kept with it; null where it is not there. */
export async function readRecordFile(world: World, place: MarkedPlace, name: string): Promise<string | null> {
  return world.files.read(join(filesFolder(scopeOf(world), place), name)).catch(() => null);
}

/**
 * Keeps a text with the units of this place, as readable as their marks, and these files in place of those of before. Nothing where
 * there is none, or where they are a user's.
 */
export async function keepRecord(
  world: World,
  place: MarkedPlace,
  text: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const scope = scopeOf(world);
  if (scope.name === 'user') return;
  const units = await markedUnits(world, scope);
  if (!units.some(({ mark }) => isSamePlace(mark, place))) return;
  const folder = filesFolder(scope, place);
  const there = await world.files.list(folder).catch((): string[] => []);
  const missing = Object.entries(files).filter(([name]) => !there.includes(name));
  await writeFiles(world, scope, [
    ...missing.map(([name, held]) => ({ path: join(folder, name), text: held, mode: '644' as const })),
    { path: recordPath(scope, place), text: `${text}\n`, mode: '644' },
  ]);
  const old = there.filter((name) => !(name in files)).map((name) => join(folder, name));
  if (old.length > 0) await removeFiles(world, scope, old);
}

/** Takes away what was kept for these places, whatever became of their units; a user's own have none. */
export async function dropRecord(world: World, part: FleetPart): Promise<void> {
  const scope = scopeOf(world);
  if (scope.name === 'user') return;
  const folder = join(dirname(scope.config), 'ran', `${part.fleet}-${part.fleetId}`);
  const names = await world.files.list(folder).catch((): string[] => []);
  const own = names
    .filter((name) => isInPart(name.replace(/\.(json|given)$/, ''), part))
    .map((name) => join(folder, name));
  if (own.length === 0) return;
  const paths = own.flatMap((path) => (path.endsWith('.given') ? [`${path}/*`, path] : [path]));
  await removeFiles(world, scope, [...paths, folder, dirname(folder), dirname(dirname(folder))]);
}

import { dirname, join } from 'node:path';
import type { World } from '../../io/world.ts';
import type { MarkedPlace } from '../contract.ts';
import { isSamePlace, markedUnits } from './observe.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { writeFiles } from './write-files.ts';

/** Beside the files of units, for whoever may change the system's: a user's own units are nobody else's. */
export function recordPath(
  scope: Scope,
  { fleet, fleetId, deployment, replica }: Omit<MarkedPlace, 'target'>,
): string {
  return join(dirname(scope.config), 'ran', `${fleet}-${fleetId}`, `${deployment}-${replica}.json`);
}

/** The files and folders of it, innermost first. */
export function recordFolders(scope: Scope, place: Omit<MarkedPlace, 'target'>): string[] {
  const path = recordPath(scope, place);
  return [path, dirname(path), dirname(dirname(path))];
}

/** What was kept for the units of this place; null where nothing was. */
export async function readRecord(world: World, place: MarkedPlace): Promise<string | null> {
  return world.files.read(recordPath(scopeOf(world), place)).catch(() => null);
}

/** Keeps a text with the units of this place, as readable as their marks. Nothing where there is none, or where they are a user's. */
export async function keepRecord(world: World, place: MarkedPlace, text: string): Promise<void> {
  const scope = scopeOf(world);
  if (scope.name === 'user') return;
  const units = await markedUnits(world, scope);
  if (!units.some(({ mark }) => isSamePlace(mark, place))) return;
  await writeFiles(world, scope, [{ path: recordPath(scope, place), text: `${text}\n`, mode: '644' }]);
}

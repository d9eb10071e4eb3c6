import { join } from 'node:path';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';
import { Kept } from './contract.ts';

/** Definitions of what was removed lie here, for this user alone: they may hold secrets. */
function folderOf({ places }: World): string {
  return join(places.state, 'removed');
}

export function pathOf(world: World, id: string): string {
  return join(folderOf(world), `${id}.json`);
}

/** A name that sorts by time, says what it is, and is not taken. */
export async function freeId(world: World, kind: string, name: string): Promise<string> {
  const day = world.clock.wall().toISOString().slice(0, 19).replaceAll(':', '');
  const base = `${day}-${kind}-${name.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}`.slice(0, 120);
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if ((await world.files.stat(pathOf(world, id))) === null) return id;
  }
}

/** Kept with it, so that nobody makes it twice by asking twice. */
export async function keepRestored(world: World, kept: Kept, what: string): Promise<void> {
  await keep(world, { ...kept, restored: { at: world.clock.wall().toISOString(), what } });
}

/** Before anything is removed: without it nothing is. */
export async function keep(world: World, kept: Kept): Promise<void> {
  await world.files.write(pathOf(world, kept.id), `${JSON.stringify(kept, null, 2)}\n`, 0o600);
}

/** Oldest first; what cannot be read is left out. */
export async function listKept(world: World): Promise<Kept[]> {
  const names = await world.files.list(folderOf(world)).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map(async (name) => readKept(world, name.slice(0, -'.json'.length))),
  );
  return found.flatMap((one) => one ?? []);
}

export async function readKept(world: World, id: string): Promise<Kept | null> {
  if (id.includes('/')) return null;
  const text = await world.files.read(pathOf(world, id));
  return text === null ? null : (Kept.safeParse(parseJson(text)).data ?? null);
}

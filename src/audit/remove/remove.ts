import type { HostAccess } from '../../domain/host-access.ts';
import type { World } from '../../io/world.ts';
import type { Found, Kept } from './contract.ts';
import { freeId, keep, pathOf } from './kept.ts';

export interface Removal {
  readonly kind: string;
  readonly name: string;
  readonly found: Found;
  readonly host: HostAccess;
}

/** Keeps the definition, then removes. What is kept stays where removing fails: restoring it is then refused or harmless. */
export async function removeKept(
  home: World,
  { kind, name, found, host }: Removal,
): Promise<{ id: string; file: string }> {
  const id = await freeId(home, kind, name);
  const kept: Kept = {
    version: 1,
    id,
    at: home.clock.wall().toISOString(),
    kind,
    name,
    what: found.what,
    host,
    definition: found.definition,
  };
  await keep(home, kept);
  await found.remove();
  return { id, file: pathOf(home, id) };
}

import { BerthError } from '../../domain/errors/berth-error.ts';
import { KeyFile } from '../../domain/key-record.ts';
import type { KeyRecord } from '../../domain/key-record.ts';
import type { World } from '../../io/world.ts';
import { lockForChange } from '../apply/change-lock.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';

/** The keys that were made for this fleet; null when none ever was. Throws KEYS_UNREADABLE. */
export async function readKeys(world: World, fleet: FleetIdentity): Promise<readonly KeyRecord[] | null> {
  const path = fleetPaths(world, fleet).keys;
  const text = await world.files.read(path);
  return text === null ? null : parse(text, path);
}

/**
 * Changes the file of keys: one change at a time, whole or not at all. Whoever is ended in the middle leaves the file as it was
 * before or after, and no lock behind. `save` has it written, and may do something before and after. Rejects with KEYS_UNREADABLE,
 * LOCKED, or as `change` throws.
 */
export async function changeKeys<Change extends { readonly keys: readonly KeyRecord[] }>(
  world: World,
  fleet: FleetIdentity,
  change: (keys: readonly KeyRecord[]) => Change,
  save: (changed: Change, write: () => Promise<void>) => Promise<void> = (_changed, write) => write(),
): Promise<Change> {
  const path = fleetPaths(world, fleet).keys;
  using _lock = await lockForChange(world, path);
  const changed = change((await readKeys(world, fleet)) ?? []);
  const file: KeyFile = { version: 1, keys: [...changed.keys] };
  await save(changed, () => world.files.write(path, `${JSON.stringify(file, null, 2)}\n`, 0o600));
  return changed;
}

function parse(text: string, path: string): readonly KeyRecord[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BerthError('KEYS_UNREADABLE', { path, reason: 'it is not JSON' });
  }
  const parsed = KeyFile.safeParse(json);
  if (parsed.success) return parsed.data.keys;
  const [issue] = parsed.error.issues;
  throw new BerthError('KEYS_UNREADABLE', {
    path,
    reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  });
}

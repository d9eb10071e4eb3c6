import { AppliedSecrets } from '../../domain/applied-secrets.ts';
import type { AppliedNamings } from '../../domain/applied-secrets.ts';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';
import { lockForChange } from '../apply/change-lock.ts';
import { fleetPaths } from './paths.ts';
import type { FleetIdentity } from './paths.ts';

export type ByName = Readonly<Record<string, AppliedNamings>>;

/**
 * Where the deployments of a fleet were applied, and which secrets its files named for them there: the references alone, as they may still
 * run and one state before that. It is this user's own file, which marks are held against beside the fleet file of today. One that is
 * missing or broken tells nothing, so that less is believed.
 */
export async function readAppliedSecrets(world: World, fleet: FleetIdentity): Promise<ByName> {
  const text = await world.files.read(fleetPaths(world, fleet).appliedSecrets).catch(() => null);
  return AppliedSecrets.safeParse(parseJson(text ?? '')).data?.deployments ?? {};
}

/**
 * Changes what is kept, and gives it as it was and as it is then. Where it cannot be kept, that is told and keeps nothing from being
 * done; null where it could not even be looked at.
 */
export async function changeAppliedSecrets(
  world: World,
  fleet: FleetIdentity,
  change: (before: ByName) => ByName,
): Promise<{ before: ByName; now: ByName } | null> {
  const path = fleetPaths(world, fleet).appliedSecrets;
  let both: { before: ByName; now: ByName } | null = null;
  try {
    using _lock = await lockForChange(world, path);
    const before = await readAppliedSecrets(world, fleet);
    const now = change(before);
    both = { before, now };
    const file: AppliedSecrets = { version: 1, deployments: { ...now } };
    if (JSON.stringify(now) !== JSON.stringify(before))
      await world.files.write(path, `${JSON.stringify(file, null, 2)}\n`, 0o600);
  } catch (error) {
    world.log.warn('What was applied of secrets could not be kept.', {
      path,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
  return both;
}

/** Nothing of these deployments runs any more; without names nothing of the fleet does. */
export async function forgetAppliedSecrets(
  world: World,
  fleet: FleetIdentity,
  only: readonly string[] | undefined,
): Promise<void> {
  if (!only) return world.files.remove(fleetPaths(world, fleet).appliedSecrets);
  await changeAppliedSecrets(world, fleet, (before) => without(before, only));
}

/** Pure. */
export function without(all: ByName, names: readonly string[]): ByName {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));
}

import { dirname } from 'node:path';
import type { World } from '../../io/world.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { ranFolder } from '../plan/ran-states.ts';

/** Takes away what a command that was killed was just writing into the folders of a fleet. Those of engines are theirs. */
export async function tidy(world: World, fleet: FleetIdentity): Promise<void> {
  const paths = fleetPaths(world, fleet);
  const folders = [
    paths.state,
    ranFolder(world, fleet),
    paths.engineSecrets,
    paths.engineKeys,
    dirname(paths.runtime),
    paths.runtime,
    paths.secrets,
  ];
  for (const folder of folders) await world.files.tidy?.(folder);
}

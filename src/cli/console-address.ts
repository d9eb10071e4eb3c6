import { fleetPaths } from '../fleet/file/paths.ts';
import type { FleetIdentity } from '../fleet/file/paths.ts';
import type { World } from '../io/world.ts';
import { tokenOfFile } from '../io/token-file.ts';

/** Holds the token of a fleet's console, readable by its user alone. */
export function consoleTokenFile(world: World, fleet: FleetIdentity): string {
  return fleetPaths(world, fleet).controlToken;
}

/** What a browser opens: the token stands in the fragment, which no server sees. A secret: for people's eyes, never for JSON or logs. */
export async function consoleAddress(world: World, fleet: FleetIdentity, url: string): Promise<string> {
  return `${url}/#token=${await tokenOfFile(world.files, consoleTokenFile(world, fleet))}`;
}

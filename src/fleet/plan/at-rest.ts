import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { lockForChange } from '../apply/change-lock.ts';
import { expectNamed } from '../apply/expect-named.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Deployments that somebody stopped by hand, and since when: they stay so until they are started by hand. */
const AtRest = z.strictObject({ version: z.literal(1), since: z.record(z.string(), z.iso.datetime()) });
type AtRest = z.infer<typeof AtRest>;

const none: AtRest = { version: 1, since: {} };

/** Throws AT_REST_UNREADABLE. */
async function read(world: World, fleet: FleetIdentity): Promise<AtRest> {
  const path = fleetPaths(world, fleet).atRest;
  const text = await world.files.read(path);
  if (text === null) return none;
  try {
    return AtRest.parse(JSON.parse(text));
  } catch {
    throw new BerthError('AT_REST_UNREADABLE', { path });
  }
}

/** The fleet with what is known of those that were stopped by hand; nothing loads them by itself either. */
export async function withRest(world: World, loaded: LoadedFleet): Promise<LoadedFleet> {
  return rested(loaded, await read(world, loaded));
}

/** Whether it stands still by hand, as it is kept at this moment. */
export async function isAtRest(world: World, fleet: FleetIdentity, deployment: string): Promise<boolean> {
  return (await read(world, fleet)).since[deployment] !== undefined;
}

function rested(loaded: LoadedFleet, { since }: AtRest): LoadedFleet {
  if (Object.keys(since).length === 0) return loaded;
  const deployments = loaded.deployments.map((one) => {
    const at = since[one.name];
    return at === undefined ? one : { ...one, onDemand: null, atRest: at };
  });
  return { ...loaded, deployments };
}

/**
 * Writes down which deployments are to stand still, or are to run again, and gives the fleet as it is then (`loaded` is as the file
 * says). Throws DEPLOYMENT_UNKNOWN, NOT_STARTED_HERE for a server that berth only routes to, LOCKED.
 */
export async function putToRest(
  world: World,
  loaded: LoadedFleet,
  { names, rest }: { names: readonly string[]; rest: boolean },
): Promise<LoadedFleet> {
  expectNamed(names, loaded);
  expectStartedHere(names, loaded);
  const path = fleetPaths(world, loaded).atRest;
  using _lock = await lockForChange(world, path);
  const before = await read(world, loaded);
  const known = new Set(loaded.deployments.map((one) => one.name));
  const now = world.clock.wall().toISOString();
  const kept = Object.entries(before.since).filter(([name]) => known.has(name) && !names.includes(name));
  const added = rest ? names.map((name) => [name, before.since[name] ?? now] as const) : [];
  const file: AtRest = { version: 1, since: Object.fromEntries([...kept, ...added]) };
  await world.files.write(path, `${JSON.stringify(file, null, 2)}\n`, 0o600);
  return rested(loaded, file);
}

function expectStartedHere(names: readonly string[], { deployments }: LoadedFleet): void {
  for (const { name, engine } of deployments)
    if (names.includes(name) && !engineOf(engine.kind).launch)
      throw new BerthError('NOT_STARTED_HERE', { deployment: name });
}

export function restFindings(loaded: LoadedFleet): Finding[] {
  return loaded.deployments.flatMap(({ name, atRest }): Finding[] =>
    atRest === undefined
      ? []
      : [
          {
            rule: 'at-rest',
            severity: 'info',
            object: name,
            message: `${name} was stopped by hand.`,
            evidence: [`since ${atRest}`],
            cure: `"berth start ${name}" starts it.`,
          },
        ],
  );
}

import { join } from 'node:path';
import type { TallyRow } from '../../domain/experiment-tally.ts';
import { openRedis } from '../../io/redis.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import { openTallyFile } from '../../io/tally/tally-file.ts';
import { forgetShared, sharedRows } from '../../io/tally/tally-redis.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Where the gateway of this machine keeps what experiments count. */
export function experimentsFile(world: World, fleet: FleetIdentity): string {
  return join(fleetPaths(world, fleet).state, 'experiments.sqlite');
}

/** What was counted of each experiment. */
export interface ExperimentCounts {
  readonly rows: (experiment: string) => Promise<readonly TallyRow[]>;
  readonly forget: (experiment: string) => Promise<void>;
  /** Why they are those of this machine alone, although gateways share a store; null where they are all. */
  readonly partly: string | null;
}

/** What all gateways have counted; those of this machine alone where they share no store, or it cannot be reached. */
export async function withCounts<Of>(
  world: World,
  loaded: LoadedFleet,
  use: (counts: ExperimentCounts) => Promise<Of>,
): Promise<Of> {
  const { shared } = loaded.gateway.limits;
  if (!shared) return withFile(world, loaded, null, use);
  const url = 'url' in shared ? shared.url : await resolveSecret(world, shared);
  const ready = Promise.withResolvers<string | null>();
  const link = await openRedis(url, ({ up, reason }) => ready.resolve(up ? null : reason));
  try {
    const reason = await ready.promise;
    if (reason !== null) return await withFile(world, loaded, reason, use);
    return await use({
      rows: (experiment) => sharedRows(link.run, loaded.fleet, experiment),
      forget: (experiment) => forgetShared(link.run, loaded.fleet, experiment),
      partly: null,
    });
  } finally {
    await link.close();
  }
}

async function withFile<Of>(
  world: World,
  loaded: LoadedFleet,
  partly: string | null,
  use: (counts: ExperimentCounts) => Promise<Of>,
): Promise<Of> {
  const path = experimentsFile(world, loaded);
  if (!(await world.files.stat(path))?.isFile)
    return await use({ rows: async () => [], forget: async () => {}, partly });
  const file = await openTallyFile(path);
  try {
    return await use({
      rows: async (experiment) => file.rows(experiment),
      forget: async (experiment) => file.forget(experiment),
      partly,
    });
  } finally {
    file.close();
  }
}

import { begunEnds } from '../../domain/begun-ends.ts';
import type { BegunEnd } from '../../domain/begun-ends.ts';
import { machineOf } from '../../domain/host-access.ts';
import { objectKey } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { readLastEffects } from '../apply/journal.ts';
import type { Hosts } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/**
 * What is about to end of these, by `objectKey`: somebody ends it now, or was killed over it. Of a target that tells so itself there is
 * nothing. Who changes the fleet from another machine is not seen.
 */
export async function beingEnded(
  world: World,
  loaded: LoadedFleet,
  instances: readonly Instance[],
): Promise<ReadonlyMap<string, BegunEnd>> {
  const doubtful = instances.filter((one) => one.alive && targetOf(one.object.target).endsUnseen);
  if (doubtful.length === 0) return new Map();
  return endsOf(begunEnds(await readLastEffects(world, loaded)), loaded.hosts, doubtful);
}

/** Pure. */
export function endsOf(
  begun: readonly BegunEnd[],
  hosts: Hosts,
  instances: readonly Instance[],
): ReadonlyMap<string, BegunEnd> {
  return new Map(
    instances.flatMap((one) => {
      const end = begun.find(
        ({ host, object, at }) =>
          object === one.object.name && machineOf(hosts[host]) === one.host && isFrom(one, at),
      );
      return end ? [[objectKey(one.object), end] as const] : [];
    }),
  );
}

/** One that was started since has its name alone. */
function isFrom({ startedAt }: Instance, at: string): boolean {
  return startedAt === null || Date.parse(startedAt) <= Date.parse(at);
}

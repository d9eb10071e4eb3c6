import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { takeHostLocks } from '../apply/host-locks.ts';
import type { LockTaker } from '../apply/host-locks.ts';
import { accessOf, hostNameOf, worldOfInstance } from '../file/hosts.ts';
import { openJournal } from '../apply/journal.ts';
import { fleetInstances } from '../observe/observe.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Takes the mark off the objects of these deployments, which go on running. Throws DISOWN_NOTHING, DISOWN_STARTED. */
export async function disown(
  world: World,
  loaded: LoadedFleet,
  { names, onProgress, signal }: Pick<LockTaker, 'onProgress' | 'signal'> & { names: readonly string[] },
): Promise<Instance[]> {
  using _locks = await takeHostLocks(world, Object.values(loaded.hosts).map(accessOf), {
    who: `berth disown of fleet ${loaded.fleet}`,
    onProgress,
    signal,
  });
  const found = (await fleetInstances(world, loaded)).filter(({ mark }) =>
    names.includes(mark?.deployment ?? ''),
  );
  const missing = names.filter((name) => !found.some(({ mark }) => mark?.deployment === name));
  if (missing.length > 0) throw new BerthError('DISOWN_NOTHING', { names: missing });
  const journal = openJournal(world, loaded, { command: 'disown', plan: null });
  for (const instance of found) {
    const there = await worldOfInstance(world, loaded.hosts, instance);
    const { mark, object } = instance;
    const effect = {
      do: 'disown' as const,
      host: hostNameOf(loaded.hosts, instance),
      deployment: mark?.deployment ?? null,
      replica: mark?.replica ?? null,
      object: object.name,
      reasons: ['named'],
    };
    await journal.record(effect, async () => {
      const gone = await targetOf(object.target).disown?.(there, instance);
      if (!gone)
        throw new BerthError('DISOWN_STARTED', { deployment: mark?.deployment ?? '', object: object.name });
      return object.name;
    });
  }
  return found;
}

import { objectKey } from '../../domain/instance.ts';
import type { Effect } from '../../domain/journal.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { hostNameOf, worldOfInstance } from '../file/hosts.ts';
import { openJournal } from './journal.ts';
import { fleetInstances } from '../observe/observe.ts';
import { fleetPaths } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Ends the engines of a fleet that were not there before (keys of objects). */
export async function stopStarted(
  world: World,
  loaded: LoadedFleet,
  { before, onProgress }: { before: ReadonlySet<string>; onProgress: (line: string) => void },
): Promise<void> {
  const running = await fleetInstances(world, loaded);
  const journal = openJournal(world, loaded, { command: 'up', plan: null, rotates: false });
  const fresh = running.filter((one) => !before.has(objectKey(one.object)));
  await Promise.all(
    fresh.map(async (one) => {
      const { mark } = one;
      const host = await worldOfInstance(world, loaded.hosts, one);
      // The same fleet may run from another state folder as well, such as that of a second clone.
      if (!mark?.logFile.startsWith(`${fleetPaths(host, loaded).logs}/`)) return;
      const { deployment, replica } = mark;
      onProgress(`Stopping ${deployment}`);
      const effect: Effect = {
        do: 'stop',
        host: hostNameOf(loaded.hosts, one),
        deployment,
        replica,
        object: one.object.name,
        reasons: ['"berth up" ends, which had started it'],
      };
      await journal.record(effect, async () => {
        await targetOf(mark.target.kind).remove(host, one, { ...mark.spec.stop, ends: true });
        return null;
      });
    }),
  );
}

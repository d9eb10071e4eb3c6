import { objectKey } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { worldOfInstance } from '../file/hosts.ts';
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
  const fresh = running.filter((one) => !before.has(objectKey(one.object)));
  await Promise.all(
    fresh.map(async (one) => {
      const { mark } = one;
      const host = await worldOfInstance(world, loaded.hosts, one);
      // The same fleet may run from another state folder as well, such as that of a second clone.
      if (!mark?.logFile.startsWith(`${fleetPaths(host, loaded).logs}/`)) return;
      onProgress(`Stopping ${mark.deployment}`);
      await targetOf(mark.target.kind).remove(host, one, { ...mark.spec.stop, ends: true });
    }),
  );
}

import type { ObservedHost } from '../../domain/audit/observation.ts';
import type { World } from '../../io/world.ts';
import { modelContainers } from './containers.ts';
import { modelFilesBeside } from './model-files.ts';
import { modelUnits } from './units.ts';

/** A machine as the scan has seen it, with the units, containers and model files that only an audit looks at. Changes nothing. */
export async function observeHost(world: World, scanned: ObservedHost): Promise<ObservedHost> {
  const [units, containers, modelFiles] = await Promise.all([
    modelUnits(world),
    modelContainers(world),
    modelFilesBeside(world, scanned.servers),
  ]);
  return { ...scanned, units, containers, modelFiles };
}

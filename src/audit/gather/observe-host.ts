import type { ObservedHost } from '../../domain/audit/observation.ts';
import type { World } from '../../io/world.ts';
import { modelContainers } from './containers.ts';
import { modelFilesBeside } from './model-files.ts';
import { inOwnUnits } from './own-units.ts';
import { modelUnits } from './units.ts';

/** A machine as the scan has seen it, with the units, containers and model files that only an audit looks at. Changes nothing. */
export async function observeHost(world: World, scanned: ObservedHost): Promise<ObservedHost> {
  const asked = modelContainers(world);
  const [units, containers, modelFiles, gpuDevices] = await Promise.all([
    modelUnits(world, () => asked),
    asked,
    modelFilesBeside(world, scanned.servers),
    gpuDevicesOf(world),
  ]);
  const servers = inOwnUnits(scanned.servers, units);
  return { ...scanned, servers, units, containers, modelFiles, gpuDevices };
}

/** A GPU without a tool that berth knows shows here all the same: Intel, Vulkan, WSL. */
async function gpuDevicesOf({ files }: World): Promise<string[]> {
  const [dev, dri] = await Promise.all(
    ['/dev', '/dev/dri'].map((folder) => files.list(folder).catch(() => [])),
  );
  return [
    ...(dev ?? [])
      .filter((name) => /^(nvidia\d+|nvhost-gpu|nvmap|kfd|dxg|davinci\d+|mali\d+|accel)$/.test(name))
      .map((name) => `/dev/${name}`),
    ...(dri ?? []).filter((name) => name.startsWith('renderD')).map((name) => `/dev/dri/${name}`),
  ];
}

import { machineOf } from '../../domain/host-access.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { GpuChoice } from './choose-gpus.ts';
import { dealtGpus, gpuIdsOf } from './dealt-gpus.ts';
import type { DesiredReplica } from './desired.ts';
import { wantedVendor } from './wanted-vendor.ts';

/** Where no machine is asked: replicas of a machine, by whichever name, have its GPUs by number, from 0 on, in the order of the file. Each maker counts its own. Null: nothing is said. */
export function gpusByNumber(
  replicas: readonly DesiredReplica[],
  hosts: LoadedFleet['hosts'],
): readonly (GpuChoice | null)[] {
  function groupOf({ deployment, spec }: DesiredReplica): string {
    return `${machineOf(hosts[deployment.host])} ${spec.devices.vendor}`;
  }
  const groups = Map.groupBy(replicas, groupOf);
  const taken = new Map(
    [...groups].map(([group, there]) => [
      group,
      new Set(there.flatMap((one) => gpuIdsOf(one.deployment.target) ?? [])),
    ]),
  );
  return replicas.map((one) => {
    const { chosen } = dealtGpus(one).replica.spec.devices;
    if (chosen) return chosen;
    const vendor = wantedVendor(one);
    if (vendor === null || vendor === 'any') return null;
    const others = taken.get(groupOf(one)) ?? new Set();
    const ids = Array.from({ length: one.spec.devices.count }, () => lowestFree(others));
    return { vendor, ids };
  });
}

function lowestFree(taken: Set<string>): string {
  let number = 0;
  while (taken.has(String(number))) number += 1;
  taken.add(String(number));
  return String(number);
}

import { gpuVariables } from '../../domain/gpu-environment.ts';
import { targetOf, usesHostPrograms } from '../../targets/registry.ts';
import type { GpuWish } from './choose-gpus.ts';
import { gpuIdsOf, vendorSaid } from './dealt-gpus.ts';
import type { DesiredReplica } from './desired.ts';

/** Whose GPUs are to be chosen for it. Null: none are. Those on demand share what there is, one after the other. Pure. */
export function wantedVendor({ deployment, spec }: DesiredReplica): GpuWish['vendor'] | null {
  const { vendor, count, named } = spec.devices;
  const target = targetOf(deployment.target.kind);
  if (count === 0 || named || target.inCluster || deployment.onDemand) return null;
  if (gpuIdsOf(deployment.target) || gpuVariables.some((name) => spec.env[name] !== undefined)) return null;
  // What it can be shown of other vendors' is not said by a device of a container.
  if (vendor === 'any') return usesHostPrograms(deployment.target) ? 'any' : null;
  return vendorSaid(spec);
}

import { gpuVariables } from '../../domain/gpu-environment.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { HeldGpu } from './choose-gpus.ts';
import { gpuIdsOf, vendorSaid } from './dealt-gpus.ts';

/** GPUs that an engine has by its mark, by its target's options, or by a variable. Pure. */
export function heldBy(
  by: { readonly spec: LaunchSpec; readonly target: object } | null,
): readonly HeldGpu[] {
  if (!by) return [];
  const { spec, target } = by;
  const { chosen } = spec.devices;
  if (chosen) return chosen.ids.map((id) => ({ vendor: chosen.vendor, id }));
  const named = gpuIdsOf(target);
  if (named) return named.map((id) => ({ vendor: vendorSaid(spec), id }));
  return gpuVariables.flatMap((name) => {
    const value = spec.env[name];
    if (typeof value !== 'string') return [];
    const vendor = amdVariables.has(name) ? 'amd' : name === sharedVariable ? vendorSaid(spec) : null;
    return value.split(',').map((id) => ({ vendor, id: id.trim() }));
  });
}

const amdVariables: ReadonlySet<string> = new Set(['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES']);

/** AMD's HIP heeds it, too, so that it means GPUs of the maker that the engine is built for. That of Vulkan counts all makers' in an order of its own. */
const sharedVariable = 'CUDA_VISIBLE_DEVICES';

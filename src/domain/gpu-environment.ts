import type { LaunchSpec } from './launch-spec.ts';

/** Variables by which an engine sees the GPUs that were chosen for it, and no others. */
export function gpuEnvironment({ devices: { chosen } }: LaunchSpec): Record<string, string> {
  if (!chosen) return {};
  const ids = chosen.ids.join(',');
  if (chosen.vendor === 'amd') return { ROCR_VISIBLE_DEVICES: ids };
  // CUDA counts the fastest first, the driver's tool by the place on the bus.
  const order = chosen.ids.some((id) => /^\d+$/.test(id)) ? { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' } : {};
  return { ...order, CUDA_VISIBLE_DEVICES: ids };
}

/** Variables of a user that say the same: where one is set, nothing is chosen. */
export const gpuVariables = [
  'CUDA_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
  'GGML_VK_VISIBLE_DEVICES',
] as const;

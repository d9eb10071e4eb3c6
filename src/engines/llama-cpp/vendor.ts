import type { Accelerator } from '../../domain/accelerators.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';

const vendors = { cpu: 'none', cuda: 'nvidia', rocm: 'amd', vulkan: 'any' } as const;

/** Whose GPUs a build of llama.cpp for this accelerator takes: of none named, NVIDIA's where it has GPUs. */
export function vendorOf(
  { accelerator }: { readonly accelerator?: Accelerator | undefined },
  gpus: number,
): LaunchSpec['devices']['vendor'] {
  return vendors[accelerator ?? (gpus > 0 ? 'cuda' : 'cpu')];
}

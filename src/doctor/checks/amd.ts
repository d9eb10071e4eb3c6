import { formatBytes } from '../../domain/format.ts';
import type { Gpu } from '../../domain/hardware.ts';
import { detectHardware } from '../../hardware/detect.ts';
import { pciGpus } from '../../hardware/pci.ts';
import type { PciGpu } from '../../hardware/pci.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

interface Facts {
  readonly bus: readonly PciGpu[];
  readonly gpus: readonly Gpu[];
  /** Version of ROCm where it is installed. */
  readonly rocm: string | null;
  readonly kfd: boolean;
  /** Groups that this user is in, and those that own the device files. */
  readonly groups: readonly string[];
  readonly uid: number;
}

export const amd = defineCheck<'amd', Facts>({
  kind: 'amd',
  title: 'GPUs of AMD, driver and ROCm',
  gather: async (world) => {
    const [bus, hardware, rocm, kfd, groups] = await Promise.all([
      pciGpus(world),
      detectHardware(world, { timeoutMs: 10_000 }),
      world.files.read('/opt/rocm/.info/version'),
      world.files.stat('/dev/kfd'),
      world.exec.run(['id', '-nG'], { timeoutMs: 5_000 }),
    ]);
    return {
      bus,
      gpus: hardware.gpus.filter(({ vendor }) => vendor === 'amd'),
      rocm: rocm?.trim() ?? null,
      kfd: kfd !== null,
      groups: groups.stdout.trim().split(/\s+/),
      uid: world.uid,
    };
  },
  judge: ({ bus, gpus, rocm, kfd, groups, uid }) => {
    const cards = bus.filter(({ vendor }) => vendor === 'amd');
    if (cards.length === 0) return [absent('There is no GPU of AMD on the bus.')];
    const evidence = [
      ...cards.map(({ address, driver }) => `${address}: driver ${driver ?? 'none'}`),
      ...gpus.map((gpu) => `GPU ${gpu.index}: ${gpu.name}, ${formatBytes(gpu.memoryBytes)}`),
      `ROCm ${rocm ?? 'not in /opt/rocm'}`,
      `groups: ${groups.join(' ')}`,
    ];
    if (cards.every(({ driver }) => driver !== 'amdgpu'))
      return [
        bad('warning', 'There is a GPU of AMD, and the driver amdgpu does not serve it.', {
          evidence,
          cure: 'sudo modprobe amdgpu   (older kernels need the package amdgpu-dkms)',
        }),
      ];
    const found: Verdict[] = [];
    if (!kfd)
      found.push(
        bad('warning', 'ROCm finds no device: /dev/kfd is not there.', {
          evidence,
          cure: 'Use a kernel with amdkfd, or give the container /dev/kfd; Vulkan works without it.',
        }),
      );
    if (uid !== 0 && !groups.includes('render') && !groups.includes('video'))
      found.push(
        bad('warning', 'This user may not use the GPU.', {
          evidence,
          cure: 'sudo usermod -aG render,video "$USER"   (then log in again)',
        }),
      );
    return found.length > 0
      ? found
      : [good(`${cards.length} of AMD, ROCm ${rocm ?? 'not installed (Vulkan needs none)'}.`, evidence)];
  },
});

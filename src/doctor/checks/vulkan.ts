import { findProgram } from '../../io/find-program.ts';
import { pciGpus } from '../../hardware/pci.ts';
import type { PciGpu } from '../../hardware/pci.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';

interface Facts {
  readonly bus: readonly PciGpu[];
  /** Files that tell the loader of drivers. */
  readonly drivers: readonly string[];
  readonly loader: boolean;
  /** What vulkaninfo lists, where it is installed. */
  readonly summary: string | null;
}

const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

export const vulkan = defineCheck<'vulkan', Facts>({
  kind: 'vulkan',
  title: 'Vulkan',
  gather: async (world) => {
    const [bus, lists, cache, tool] = await Promise.all([
      pciGpus(world),
      Promise.all(folders.map((folder) => world.files.list(folder))),
      world.exec.run(['/sbin/ldconfig', '-p'], { timeoutMs: 5_000 }),
      findProgram(world, 'vulkaninfo'),
    ]);
    const told = tool === null ? null : await world.exec.run([tool, '--summary'], { timeoutMs: 20_000 });
    return {
      bus,
      drivers: lists.flat().filter((name) => name.endsWith('.json')),
      loader: cache.stdout.includes('libvulkan.so.1'),
      summary: told?.code === 0 ? told.stdout : null,
    };
  },
  judge: ({ bus, drivers, loader, summary }) => {
    const devices = deviceNames(summary ?? '');
    const evidence = [
      `loader libvulkan.so.1: ${loader ? 'there' : 'not there'}`,
      `drivers: ${drivers.join(', ') || 'none'}`,
      ...devices.map((name) => `device: ${name}`),
    ];
    if (bus.length === 0 && devices.length === 0) return [absent('There is no GPU on the bus for Vulkan.')];
    if (!loader || drivers.length === 0)
      return [
        bad('info', 'Vulkan does not work here: engines built for it find no GPU.', {
          evidence,
          cure: 'Install the loader and the drivers (Debian and Ubuntu: libvulkan1 mesa-vulkan-drivers; NVIDIA brings its own).',
        }),
      ];
    if (summary !== null && devices.every((name) => /llvmpipe|swiftshader/i.test(name)))
      return [
        bad('warning', 'Vulkan finds a driver that draws with the processor alone.', {
          evidence,
          cure: 'Add this user to the group render, and install the driver of the GPU.',
        }),
      ];
    return [good('Vulkan has a loader and a driver.', evidence)];
  },
});

function deviceNames(summary: string): string[] {
  return [...summary.matchAll(/^\s*deviceName\s*=\s*(.+)$/gm)].map((match) => match[1] ?? '');
}

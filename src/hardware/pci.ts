import type { World } from '../io/world.ts';

/** A device on the bus that can compute or draw. */
export interface PciGpu {
  readonly address: string;
  readonly vendor: 'nvidia' | 'amd' | 'intel';
  /** The module of the kernel that serves it; null when none does. */
  readonly driver: string | null;
}

const vendors: Readonly<Record<string, PciGpu['vendor']>> = {
  '0x10de': 'nvidia',
  '0x1002': 'amd',
  '0x8086': 'intel',
};

/** What the bus tells without any driver: display controllers and processing accelerators. */
export async function pciGpus(world: World): Promise<PciGpu[]> {
  const bus = '/sys/bus/pci/devices';
  const addresses = await world.files.list(bus);
  const found = await Promise.all(
    addresses.map(async (address): Promise<PciGpu[]> => {
      const [kind, maker, event] = await Promise.all(
        ['class', 'vendor', 'uevent'].map((name) => world.files.read(`${bus}/${address}/${name}`)),
      );
      const vendor = vendors[maker?.trim() ?? ''];
      if (!vendor || !/^0x(03|12)/.test(kind?.trim() ?? '')) return [];
      return [{ address, vendor, driver: /^DRIVER=(\S+)/m.exec(event ?? '')?.[1] ?? null }];
    }),
  );
  return found.flat();
}

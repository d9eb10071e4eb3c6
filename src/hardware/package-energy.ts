import type { Files } from '../io/files.ts';

/** Where the kernel shows its powercap zones; "intel-rapl" is AMD's too. */
const root = 'class/powercap';

/**
 * Reads the energy of all processor packages, in joules since the first reading. Each counter runs over at a bound of its
 * own, so it must be read more often than that (some minutes at full power). Null where there is none or rights hide it:
 * for others than root they do on most systems.
 */
export function createEnergyReader(files: Files, sys: string): () => Promise<number | null> {
  const last = new Map<string, number>();
  let joules = 0;
  return async () => {
    const zones = (await files.list(`${sys}/${root}`)).filter((name) => /^intel-rapl:\d+$/.test(name));
    let known = false;
    for (const zone of zones) {
      const now = await read(files, `${sys}/${root}/${zone}/energy_uj`);
      if (now === null) continue;
      known = true;
      const before = last.get(zone) ?? now;
      const bound = now < before ? await read(files, `${sys}/${root}/${zone}/max_energy_range_uj`) : 0;
      if (bound === null) return null;
      joules += (now - before + bound) / 1e6;
      last.set(zone, now);
    }
    return known ? joules : null;
  };
}

async function read(files: Files, path: string): Promise<number | null> {
  const text = await files.read(path).catch(() => null);
  const value = Number(text?.trim() || NaN);
  return Number.isFinite(value) ? value : null;
}

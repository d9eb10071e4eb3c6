import { join } from 'node:path';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../world.ts';

/** So long a machine that has told of no keys is not asked again: each time takes up to a second. */
const forMs = 10 * 60_000;
const vendorFiles = ['sys_vendor', 'product_version', 'bios_version'];

/** Whether this machine was asked a while ago at that address and had no keys. Never of one of Amazon's, which may only have been slow. */
export async function wasAskedInVain(world: World, at: string): Promise<boolean> {
  const text = await world.files.read(noteOf(world)).catch(() => null);
  const note = parseJson(text ?? '') as { at?: unknown; asked?: unknown } | null | undefined;
  const since = world.clock.wall().getTime() - Number(note?.asked);
  return note?.at === at && since >= 0 && since < forMs && !(await isAmazons(world));
}

/** What cannot be written is asked for again. */
export async function noteInVain(world: World, at: string): Promise<void> {
  const text = JSON.stringify({ at, asked: world.clock.wall().getTime() });
  await world.files.write(noteOf(world), text, 0o600).catch(() => {});
}

function noteOf({ places }: World): string {
  return join(places.state, 'machine-without-keys.json');
}

async function isAmazons({ files }: World): Promise<boolean> {
  const told = await Promise.all(
    vendorFiles.map((name) => files.read(join('/sys/class/dmi/id', name)).catch(() => null)),
  );
  return told.some((text) => /amazon/i.test(text ?? ''));
}

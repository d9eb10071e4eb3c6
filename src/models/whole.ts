import type { World } from '../io/world.ts';
import { storeOf } from './cache.ts';
import type { StoredModel } from './cache.ts';

/** All files are there with the length they had; their bytes are looked at by `verify` only. */
export async function isWhole(world: World, model: StoredModel): Promise<boolean> {
  const tree = storeOf(world).tree(model.folder);
  const found = await Promise.all(
    model.files.map(async ({ path, size }) => (await world.files.stat(`${tree}/${path}`))?.size === size),
  );
  return found.every(Boolean);
}

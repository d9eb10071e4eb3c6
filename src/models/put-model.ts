import { join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { makeFolder, putAs } from '../io/store-files.ts';
import { writeFault } from '../io/system-fault.ts';
import type { World } from '../io/world.ts';
import { storeKey, storeOf } from './cache.ts';
import type { StoredModel } from './cache.ts';
import { folderFor, placedFiles } from './placed-files.ts';

/** Where a model is wanted, in place of the store. */
export interface Wanted {
  /** A folder, or the name of a GGUF file. */
  readonly to: string;
  /** SHA-256 of files, by their path below that folder. */
  readonly sums: Readonly<Record<string, string>>;
}

/**
 * The world with a store of this fetch alone, in the folder that the model is put into: on the same disk, so that its files are given
 * their names and not copied, and what was fetched is there after a break.
 */
export async function storeBeside(world: World, source: string, { to }: Wanted): Promise<World> {
  const folder = folderFor(to);
  try {
    await makeFolder(folder);
  } catch (error) {
    throw writeFault(folder, error);
  }
  return {
    ...world,
    places: { ...world.places, models: join(folder, `.berth-${storeKey(source, null).folder}`) },
  };
}

/** Puts what that store has where it is wanted, and takes the store away. Throws MODEL_NOT_PLACED and MODEL_SUM_WRONG. */
export async function putModel(world: World, model: StoredModel, { to, sums }: Wanted): Promise<void> {
  const store = storeOf(world);
  const placed = placedFiles(model, to);
  for (const [path, expected] of Object.entries(sums)) {
    const found = placed.find((one) => one.path === path)?.file.sha256 ?? null;
    if (found === expected) continue;
    await world.files.remove(store.root);
    throw new BerthError('MODEL_SUM_WRONG', { source: model.source, file: path, expected, found });
  }
  const folder = folderFor(to);
  for (const { file, path } of placed) {
    const name = join(folder, path);
    try {
      await putAs(join(store.tree(model.folder), file.path), name);
    } catch (error) {
      throw writeFault(name, error);
    }
  }
  await world.files.remove(store.root);
}

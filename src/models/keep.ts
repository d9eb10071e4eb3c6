import { join } from 'node:path';
import { hashFile } from '../io/hash-file.ts';
import type { World } from '../io/world.ts';
import { storeOf, storedModels } from './cache.ts';
import type { StoredModel } from './cache.ts';

export interface Verified {
  readonly model: StoredModel;
  /** Files that are gone or are not as they were fetched. */
  readonly damaged: readonly string[];
}

/** Reads every byte of a stored model. What is damaged is taken out of the store, so that the next pull fetches it anew. */
export async function verifyModel(world: World, model: StoredModel, signal: AbortSignal): Promise<Verified> {
  const store = storeOf(world);
  const damaged: string[] = [];
  for (const { path, sha256 } of model.files) {
    const name = join(store.tree(model.folder), path);
    const found = await hashFile(name, signal);
    signal.throwIfAborted();
    if (found === sha256) continue;
    damaged.push(path);
    await world.files.remove(name);
    await world.files.remove(store.blob(sha256));
  }
  return { model, damaged };
}

export interface Pruned {
  readonly models: readonly StoredModel[];
  /** Contents that no model has any more, and what was left half fetched. */
  readonly blobs: number;
  readonly partials: number;
  readonly bytes: number;
}

/** What `prune` would take away: models that are not `kept`, and what belongs to none. With `act`, it is taken away. */
export async function pruneStore(world: World, kept: ReadonlySet<string>, act: boolean): Promise<Pruned> {
  const store = storeOf(world);
  const all = await storedModels(world);
  const gone = all.filter(({ folder }) => !kept.has(folder));
  const needed = new Set(
    all
      .filter(({ folder }) => kept.has(folder))
      .flatMap(({ files }) => files.map(({ sha256 }) => `sha256-${sha256}`)),
  );
  const blobs = (await world.files.list(join(store.root, 'blobs'))).filter((name) => !needed.has(name));
  const partials = (await world.files.list(join(store.root, 'partial'))).filter((name) => !kept.has(name));
  let bytes = 0;
  for (const name of blobs) bytes += (await world.files.stat(join(store.root, 'blobs', name)))?.size ?? 0;
  if (act) {
    for (const { folder } of gone) {
      await world.files.remove(store.record(folder));
      await world.files.remove(store.tree(folder));
    }
    for (const name of blobs) await world.files.remove(join(store.root, 'blobs', name));
    for (const name of partials) await world.files.remove(store.partials(name));
  }
  return { models: gone, blobs: blobs.length, partials: partials.length, bytes };
}

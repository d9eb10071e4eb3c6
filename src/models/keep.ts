import { join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { hashFile } from '../io/hash-file.ts';
import { tryLock } from '../io/lock.ts';
import type { Lock } from '../io/lock.ts';
import type { World } from '../io/world.ts';
import { givenToContainers } from './given-to-containers.ts';
import { foldersInUse } from './in-use.ts';
import type { StoreFolder } from './in-use.ts';
import { pullLockOf, readRecord, storeOf, storedModels } from './cache.ts';
import type { StoredModel } from './cache.ts';
import { recordRemains } from './remains.ts';
import { waitForTurn } from './turn.ts';
import type { Waiting } from './turn.ts';

export interface Verified {
  readonly model: StoredModel;
  /** Files that are gone or are not as they were fetched. */
  readonly damaged: readonly string[];
}

/**
 * Reads every byte of a stored model, once nobody else fetches it or takes it away. What is damaged is taken out of the store, and with it the record that all is there: nothing
 * is served from it until the next pull has fetched it anew.
 */
export async function verifyModel(world: World, listed: StoredModel, waiting: Waiting): Promise<Verified> {
  const { signal } = waiting;
  const store = storeOf(world);
  using _turn = await waitForTurn(world, listed.folder, 'verify', waiting);
  // Whoever had it meanwhile may have fetched it anew, or taken it away.
  const model = readRecord(await world.files.read(store.record(listed.folder)));
  if (model === null) return { model: listed, damaged: [] };
  const damaged: string[] = [];
  for (const { path, sha256 } of model.files) {
    const name = join(store.tree(model.folder), path);
    const found = await hashFile(name, signal);
    signal.throwIfAborted();
    if (found === sha256) continue;
    damaged.push(path);
    await recordRemains(world, model, new Set(damaged));
    await world.files.remove(store.record(model.folder));
    await world.files.remove(name);
    await world.files.remove(store.blob(sha256));
  }
  return { model, damaged };
}

export interface Pruned {
  readonly models: readonly StoredModel[];
  /** Kept, though nothing names them: something on this machine uses them. */
  readonly used: readonly string[];
  /** Contents that no model has any more, and what was left half fetched. */
  readonly blobs: number;
  readonly partials: number;
  readonly bytes: number;
  /** Daemons of containers that are there and do not tell what those are given. */
  readonly silent: readonly string[];
  /** Files and folders of units that cannot be read. */
  readonly unread: readonly string[];
}

/**
 * What `prune` would take away: models that it does not `keep`, and what belongs to none. With `act`, it is taken away. What an engine
 * or a unit is given, and what a pull is fetching, stays whatever `keeps` says. Throws USES_UNSEEN where a daemon does not tell what its
 * containers are given, or what a unit names cannot be read, but for `unseen`: nothing is taken then.
 */
export async function pruneStore(
  world: World,
  keeps: (folder: string) => boolean,
  { act, unseen }: { act: boolean; unseen: boolean },
): Promise<Pruned> {
  const store = storeOf(world);
  const all = await storedModels(world);
  const places = ['trees', 'partial'].map((name) => world.files.list(join(store.root, name)));
  const unrecorded = new Set((await Promise.all(places)).flat());
  for (const { folder } of all) unrecorded.delete(folder);
  const folders = [...all.map(({ folder }) => folder), ...unrecorded];
  const { given, silent } = await givenToContainers(world);
  const { folders: used, unread } = await foldersInUse(
    { ...world, containers: given },
    await Promise.all(folders.map((folder) => heldBy(world, folder, all))),
  );
  const locks: Lock[] = [];
  const busy = new Set<string>();
  try {
    for (const folder of folders) {
      if (keeps(folder) || used.has(folder)) continue;
      const lock = await tryLock(pullLockOf(store, folder), 'prune');
      if (lock === null) busy.add(folder);
      else locks.push(lock);
    }
    function stays(folder: string): boolean {
      return keeps(folder) || used.has(folder) || busy.has(folder);
    }
    const gone = all.filter(({ folder }) => !stays(folder));
    const partials = [...unrecorded].filter((folder) => !stays(folder));
    const begun = [...unrecorded, ...(await refreshed(world, all))];
    const blobs = await needless(world, all, stays, busy.size > 0 || begun.some(stays));
    const isUnknown = silent.length + unread.length > 0;
    if (act && !unseen && isUnknown && gone.length + blobs.length + partials.length > 0)
      throw new BerthError('USES_UNSEEN', { daemons: silent, unread });
    let bytes = 0;
    for (const path of blobs) bytes += (await world.files.stat(path))?.size ?? 0;
    if (act) await takeAway(world, [...gone.map((model) => model.folder), ...partials], blobs);
    return {
      models: gone,
      used: all.filter(({ folder }) => !keeps(folder) && used.has(folder)).map(({ source }) => source),
      blobs: blobs.length,
      partials: partials.length,
      bytes,
      silent,
      unread,
    };
  } finally {
    for (const lock of locks) lock[Symbol.dispose]();
  }
}

async function takeAway(world: World, folders: readonly string[], blobs: readonly string[]): Promise<void> {
  const store = storeOf(world);
  for (const folder of folders)
    for (const place of [store.record, store.remains, store.tree, store.partials])
      await world.files.remove(place(folder));
  for (const path of blobs) await world.files.remove(path);
}

/** Models whose newer form is on its way, or was when its fetch broke off. */
async function refreshed(world: World, all: readonly StoredModel[]): Promise<string[]> {
  const store = storeOf(world);
  const found = await Promise.all(
    all.map(async ({ folder }) => ((await world.files.stat(store.remains(folder))) ? [folder] : [])),
  );
  return found.flat();
}

/** The folder of a model and its files; of one without a record what lies there. */
async function heldBy(world: World, folder: string, all: readonly StoredModel[]): Promise<StoreFolder> {
  const tree = storeOf(world).tree(folder);
  const recorded = all.find((model) => model.folder === folder)?.files.map(({ path }) => path);
  const names = recorded ?? (await world.files.list(tree).catch(() => []));
  return { folder, paths: [tree, ...names.map((name) => join(tree, name))] };
}

/**
 * Paths of contents that no model which stays has. What a pull under way or broken off, or a damaged model still has is in no record:
 * with `unnamed`, only contents that a record of what goes names are taken.
 */
async function needless(
  world: World,
  all: readonly StoredModel[],
  stays: (folder: string) => boolean,
  unnamed: boolean,
): Promise<string[]> {
  const store = storeOf(world);
  function blobsOf(stay: boolean): Set<string> {
    const models = all.filter(({ folder }) => stays(folder) === stay);
    return new Set(models.flatMap(({ files }) => files.map(({ sha256 }) => store.blob(sha256))));
  }
  const [needed, ofGone] = [blobsOf(true), blobsOf(false)];
  const names = await world.files.list(join(store.root, 'blobs'));
  return names
    .map((name) => join(store.root, 'blobs', name))
    .filter((path) => !needed.has(path) && (!unnamed || ofGone.has(path)));
}

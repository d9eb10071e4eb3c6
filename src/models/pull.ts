import { BerthError } from '../domain/errors/berth-error.ts';
import { shownSource } from '../domain/model-source.ts';
import type { ListedFile, ListedModel } from '../domain/listed-model.ts';
import { splitSet } from '../domain/split-files.ts';
import type { Address } from '../io/download/connect.ts';
import type { World } from '../io/world.ts';
import { readGgufFile } from '../model-files/gguf-read.ts';
import { splitFault } from '../model-files/gguf-split.ts';
import type { ModelSource } from '../model-sources/contract.ts';
import { modelPath, storeKey, storeOf, storedModel } from './cache.ts';
import type { StoreKey, StoredFile, StoredModel } from './cache.ts';
import { chooseFiles } from './choose-files.ts';
import type { ChosenFiles } from './choose-files.ts';
import { fetchFile, nameFile } from './fetch-file.ts';
import { newnessOf } from './newer.ts';
import type { PullOptions } from './pull-options.ts';
import { recordRemains } from './remains.ts';
import { checkRoom } from './room.ts';
import { waitForTurn } from './turn.ts';
import { isWhole } from './whole.ts';

export interface Pulled {
  readonly model: StoredModel;
  /** What an engine is given: the file, of a split model the first one, or the folder. */
  readonly path: string;
  /** False when all of it was there. */
  readonly fetched: boolean;
}

/**
 * Fetches a model into the store, or finds it there. Several at once, of this or another process, do the work once: the others wait.
 * Whatever ends it, running it again goes on. Throws the errors of `pull-errors.ts`.
 */
export async function pullModel(
  world: World,
  kind: ModelSource,
  source: string,
  options: PullOptions,
): Promise<Pulled> {
  const key = storeKey(source, await kind.endpoint(world, options.access.secret));
  const { folder, endpoint } = key;
  using _turn = await waitForTurn(world, folder, 'pull', {
    signal: options.access.signal,
    onWait: () => options.onLine(`${shownSource(source)} is being fetched by another berth; waiting for it.`),
  });
  const store = storeOf(world);
  const there = await storedModel(world, key);
  const whole = there !== null && (await isWhole(world, there)) ? there : null;
  if (whole !== null && !options.refresh)
    return { model: whole, path: modelPath(store, whole), fetched: false };
  const listed = options.listed?.() ?? (await kind.list(world, source, options.access));
  // What cannot be told apart from what its place has is fetched.
  if (
    whole !== null &&
    (await newnessOf(world, kind, source, whole, { access: options.access, listed })) === 'same'
  )
    return { model: whole, path: modelPath(store, whole), fetched: false };
  const chosen = chooseFiles(shownSource(source), listed.files, kind.wanted(source));
  if (there !== null && options.refresh) await recordRemains(world, there, new Set());
  function where(file: ListedFile): Promise<Address> {
    return kind.address(world, source, listed, file, options.access);
  }
  await checkRoom(world, folder, chosen.files, { where, access: options.access });
  const files = await fetchAll(world, kind, key, listed, chosen, options);
  if (options.refresh) await renameAll(world, folder, files);
  await checkParts(store.tree(folder), files);
  const model: StoredModel = {
    version: 1,
    source: shownSource(source),
    folder,
    endpoint,
    revision: listed.revision,
    licence: listed.licence,
    main: chosen.main,
    files,
    pulledAt: world.clock.wall().toISOString(),
  };
  await world.files.write(store.record(folder), `${JSON.stringify(model, null, 2)}\n`, 0o644);
  for (const path of [store.partials(folder), store.remains(folder)]) await world.files.remove(path);
  return { model, path: modelPath(store, model), fetched: true };
}

/** Parts that are each right can still be of several models. */
async function checkParts(tree: string, files: readonly StoredFile[]): Promise<void> {
  const parts = files.filter(({ path }) => splitSet(path).length > 1 && path.endsWith('.gguf'));
  const headers = [];
  for (const { path } of parts) headers.push(await readGgufFile(`${tree}/${path}`).catch(() => null));
  const fault = splitFault(headers.filter((header) => header !== null));
  // What is no GGUF at all is told where it is read.
  if (fault === null || headers.includes(null)) return;
  throw new BerthError('GGUF_BROKEN', { path: parts[fault.part]?.path ?? tree, detail: fault.detail });
}

/** The old form is whole until all of the new one has come; between them no record says that what lies there is one model. */
async function renameAll(world: World, folder: string, files: readonly StoredFile[]): Promise<void> {
  const store = storeOf(world);
  for (const path of [store.record(folder), store.tree(folder)]) await world.files.remove(path);
  for (const file of files) await nameFile(world, folder, file);
}

async function fetchAll(
  world: World,
  kind: ModelSource,
  { source, folder }: StoreKey,
  listed: ListedModel,
  { files }: ChosenFiles,
  options: PullOptions,
): Promise<StoredFile[]> {
  const sizes = files.map(({ size }) => size);
  const total = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const stored: StoredFile[] = [];
  let before = 0;
  for (const file of files) {
    const done = await fetchFile(
      world,
      { kind, source, folder, listed, file },
      {
        ...options,
        onBytes: (bytes, ofFile) => options.onBytes(before + bytes, files.length === 1 ? ofFile : total),
      },
    );
    stored.push(done);
    before += done.size;
    options.onBytes(before, total ?? (files.length === 1 ? done.size : null));
  }
  return stored;
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { shownSource } from '../domain/model-source.ts';
import { parseJson } from '../domain/json.ts';
import type { World } from '../io/world.ts';

const StoredFile = z.object({
  path: z.string(),
  size: z.number(),
  sha256: z.string(),
  /** What its server told with it: its ETag and Last-Modified. */
  etag: z.string().nullish(),
  modified: z.string().nullish(),
});

/** What the store knows of one model that is wholly there. Written last: its presence means that all files are. */
const StoredModel = z.object({
  version: z.literal(1),
  /** As `shownSource` gives it. */
  source: z.string(),
  /** Its folder below `trees`. */
  folder: z.string(),
  /** The mirror or store that it came from; null for the usual one, absent where an older version has not noted it. */
  endpoint: z.string().nullish(),
  revision: z.string().nullable(),
  licence: z.string().nullable(),
  /** The file or folder in it that an engine is given; null for all of it. */
  main: z.string().nullable(),
  files: z.array(StoredFile),
  pulledAt: z.string(),
});
export type StoredModel = z.infer<typeof StoredModel>;
export type StoredFile = z.infer<typeof StoredFile>;

/**
 * The store of models. `blobs` holds each content once, under its sum; `trees` holds for each source the names that its files have,
 * as hard links to blobs; `sources` says what each tree is; `partial` is what is on its way.
 */
export interface StorePaths {
  readonly root: string;
  readonly blob: (sha256: string) => string;
  readonly tree: (folder: string) => string;
  readonly record: (folder: string) => string;
  /** What is still good of a model that was found damaged. */
  readonly remains: (folder: string) => string;
  readonly partials: (folder: string) => string;
  readonly partial: (folder: string, file: string) => string;
}

export function storeOf({ places }: Pick<World, 'places'>): StorePaths {
  const root = places.models;
  return {
    root,
    blob: (sha256) => join(root, 'blobs', `sha256-${sha256}`),
    tree: (folder) => join(root, 'trees', folder),
    record: (folder) => join(root, 'sources', `${folder}.json`),
    remains: (folder) => join(root, 'sources', `${folder}.remains`),
    partials: (folder) => join(root, 'partial', folder),
    partial: (folder, file) => join(root, 'partial', folder, shortSum(file)),
  };
}

/** Held by whoever fetches into a tree, or takes it away. */
export function pullLockOf(store: StorePaths, folder: string): string {
  return `model ${store.tree(folder)}`;
}

/** What an engine is given: the file, of a split model the first one, or the folder. */
export function modelPath(store: StorePaths, { folder, main }: Pick<StoredModel, 'folder' | 'main'>): string {
  return main === null ? store.tree(folder) : join(store.tree(folder), main);
}

/** What a model is kept by: two mirrors can have different files under one name. */
export interface StoreKey {
  readonly source: string;
  /** Null for the usual place of such sources. */
  readonly endpoint: string | null;
  /** Its folder below `trees`. */
  readonly folder: string;
}

export function storeKey(source: string, endpoint: string | null): StoreKey {
  const shown = endpoint === null ? null : shownSource(endpoint);
  return { source, endpoint: shown, folder: folderOf(source, shown) };
}

/** Null when it is not in the store, or its record is damaged, which a pull mends. What has no note of its endpoint is believed for each. */
export async function storedModel(
  world: World,
  { source, endpoint, folder }: StoreKey,
): Promise<StoredModel | null> {
  const store = storeOf(world);
  const own = readRecord(await world.files.read(store.record(folder)));
  if (own !== null || endpoint === null) return own;
  const older = readRecord(await world.files.read(store.record(folderOf(source))));
  return older?.endpoint === undefined ? older : null;
}

/** Whether this is a folder of the source, from whichever endpoint. */
export function isFolderOf(source: string, folder: string): boolean {
  if (folder === folderOf(source)) return true;
  // Those of a web server have no endpoint beside their own host.
  return !/^https?:/.test(source) && folder.slice(0, -sumLength) === folderOf(source).slice(0, -sumLength);
}

/** By source. */
export async function storedModels(world: World): Promise<StoredModel[]> {
  const folder = join(storeOf(world).root, 'sources');
  const names = (await world.files.list(folder)).filter((name) => name.endsWith('.json'));
  const read = await Promise.all(
    names.map(async (name) => readRecord(await world.files.read(join(folder, name)))),
  );
  return read.filter((model) => model !== null).toSorted((a, b) => (a.source < b.source ? -1 : 1));
}

/** Null where it is none. */
export function readRecord(text: string | null): StoredModel | null {
  return StoredModel.safeParse(parseJson(text ?? '')).data ?? null;
}

/** Readable, and different for different sources and endpoints. A query may hold a token: it is in the sum only. */
function folderOf(source: string, endpoint: string | null = null): string {
  const readable = source
    .replace(/[?#].*$/, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '--')
    .slice(0, 120);
  return `${readable}-${shortSum(endpoint === null ? source : `${source}\n${endpoint}`)}`;
}

const sumLength = 10;

function shortSum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, sumLength);
}

import { BerthError } from '../domain/errors/berth-error.ts';
import type { ListedFile, ListedModel } from '../domain/listed-model.ts';
import { shownSource } from '../domain/model-source.ts';
import type { Address } from '../io/download/connect.ts';
import { identify } from '../io/download/identify.ts';
import { freeBytes, takenBytes } from '../io/store-files.ts';
import type { World } from '../io/world.ts';
import type { ModelSource, SourceAccess } from '../model-sources/contract.ts';
import { storeKey, storeOf, storedModel } from './cache.ts';
import type { StoredModel } from './cache.ts';
import { chooseFiles } from './choose-files.ts';
import { isWhole } from './whole.ts';

export interface WantedModel {
  readonly kind: ModelSource;
  readonly source: string;
  readonly access: SourceAccess;
  /** What is there whole is asked for all the same, and fetched in a newer form. */
  readonly refresh: boolean;
  /** Told what its place lists. */
  readonly onListed: (listed: ListedModel) => void;
}

/**
 * What can never fit is told before anything of several models is fetched. Throws MODEL_NO_ROOM. What a place does not tell now counts
 * as nothing: its own fetch says why.
 */
export async function checkRoomTogether(world: World, models: readonly WantedModel[]): Promise<void> {
  const needed = new Map<string, number>();
  for (const model of models) {
    const bytes = await toCome(world, model).catch(() => []);
    model.access.signal.throwIfAborted();
    for (const [path, count] of bytes) needed.set(path, count);
  }
  await expectRoom(
    world,
    [...needed.values()].reduce((sum, bytes) => sum + bytes, 0),
  );
}

/** Of each file that is missing, by what it is kept as, the bytes that are to come. */
async function toCome(
  world: World,
  { kind, source, access, refresh, onListed }: WantedModel,
): Promise<readonly (readonly [string, number])[]> {
  const key = storeKey(source, await kind.endpoint(world, access.secret));
  const there = await storedModel(world, key);
  const whole = there !== null && (await isWhole(world, there)) ? there : null;
  if (whole !== null && !refresh) return [];
  const listed = await kind.list(world, source, access);
  onListed(listed);
  if (whole !== null && listed.revision !== null && listed.revision === whole.revision) return [];
  const chosen = chooseFiles(shownSource(source), listed.files, kind.wanted(source));
  const files = chosen.files.filter((file) => !isStored(file, whole));
  const sized = await withSizes(
    world,
    files,
    (file) => kind.address(world, source, listed, file, access),
    access,
  );
  return missingBytes(world, key.folder, sized);
}

/** As far as a list tells, which names no sum of each file: what may be the same by now is no reason to refuse. */
function isStored({ path, size, sha256 }: ListedFile, whole: StoredModel | null): boolean {
  const was = whole?.files.find((one) => one.path === path);
  return was !== undefined && sha256 === null && (size === null || size === was.size);
}

/** What is listed without a size is asked for it. The answer is held against nothing: it may change until the file is fetched. */
async function withSizes(
  world: World,
  files: readonly ListedFile[],
  where: (file: ListedFile) => Promise<Address>,
  { signal }: SourceAccess,
): Promise<ListedFile[]> {
  const sized: ListedFile[] = [];
  for (const file of files) {
    const told = file.size === null ? await identify(await where(file), { env: world.env, signal }) : null;
    sized.push(told === null || told.size === 0 ? file : { ...file, size: told.size });
  }
  return sized;
}

/** What can never fit is told before anything is fetched. Throws MODEL_NO_ROOM. */
export async function checkRoom(
  world: World,
  folder: string,
  files: readonly ListedFile[],
  {
    where,
    access,
  }: { readonly where: (file: ListedFile) => Promise<Address>; readonly access: SourceAccess },
): Promise<void> {
  const missing = await missingBytes(world, folder, await withSizes(world, files, where, access));
  await expectRoom(
    world,
    missing.reduce((sum, [, bytes]) => sum + bytes, 0),
  );
}

async function missingBytes(
  world: World,
  folder: string,
  files: readonly ListedFile[],
): Promise<(readonly [string, number])[]> {
  const store = storeOf(world);
  const missing: (readonly [string, number])[] = [];
  for (const { path, size, sha256 } of files) {
    const blob = sha256 === null ? null : await world.files.stat(store.blob(sha256));
    // One of another length is broken, and comes anew.
    if (size === null || blob?.size === size) continue;
    const partial = store.partial(folder, path);
    missing.push([sha256 ?? partial, Math.max(0, size - (await takenBytes(partial)))]);
  }
  return missing;
}

async function expectRoom({ places }: World, needed: number): Promise<void> {
  const free = await freeBytes(places.models);
  if (needed > free) throw new BerthError('MODEL_NO_ROOM', { path: places.models, needed, free });
}

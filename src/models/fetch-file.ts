import { join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { shownSource } from '../domain/model-source.ts';
import type { ListedFile } from '../domain/listed-model.ts';
import type { Address } from '../io/download/connect.ts';
import { download } from '../io/download/download.ts';
import { Changed, GaveUp, NoRoom, Refused, Unwritten } from '../io/download/faults.ts';
import type { Identity } from '../io/download/parts.ts';
import { crcOf, gitNameOf, hashFile } from '../io/hash-file.ts';
import { freeBytes, linkAs, moveInto } from '../io/store-files.ts';
import { writeFault } from '../io/system-fault.ts';
import type { World } from '../io/world.ts';
import { readGgufFile } from '../model-files/gguf-read.ts';
import { checkSafetensors } from '../model-files/safetensors.ts';
import { storeOf } from './cache.ts';
import type { StoredFile } from './cache.ts';
import { checkListed } from './listed-now.ts';
import type { FileOfModel, PullOptions } from './pull-options.ts';
import { remainingFile } from './remains.ts';

/**
 * One file of a model: fetched, unless its content is in the store, proved by its sum where the place tells one, and put under
 * its name, unless it is to wait for the others of a newer form. What has a wrong sum is fetched once more, in ranges again, and if it came otherwise then, from front to back; what
 * stays wrong is given up, and nothing of it is kept.
 */
export async function fetchFile(world: World, what: FileOfModel, options: PullOptions): Promise<StoredFile> {
  const { kind, source } = what;
  const told = (await kind.withSum?.(world, source, what.file, options.access)) ?? what.file;
  const file = await intoStore(world, { ...what, file: told }, options);
  if (!options.refresh) await nameFile(world, what.folder, file);
  return file;
}

/** Puts the content that the store has under the name that the model has for it. */
export async function nameFile(world: World, folder: string, { path, sha256 }: StoredFile): Promise<void> {
  const store = storeOf(world);
  await linkAs(store.blob(sha256), join(store.tree(folder), path));
}

async function intoStore(world: World, what: FileOfModel, options: PullOptions): Promise<StoredFile> {
  const store = storeOf(world);
  const { file, folder } = what;
  const known = file.sha256 === null ? null : await world.files.stat(store.blob(file.sha256));
  if (file.sha256 !== null && known !== null && (file.size === null || known.size === file.size))
    return { path: file.path, size: known.size, sha256: file.sha256 };
  const there = await remaining(world, what, options);
  if (there !== null) return there;
  const partial = store.partial(folder, file.path);
  const { sha256, etag, modified } = await fetchProved(world, what, partial, options);
  const size = (await world.files.stat(partial))?.size ?? 0;
  await keepAs(partial, store.blob(sha256), sha256, options.access.signal);
  await drop(world, partial);
  return { path: file.path, size, sha256, etag, modified };
}

/** The same bytes from two addresses lie there once: what is there already, and is as it should be, stays. */
async function keepAs(partial: string, blob: string, sha256: string, signal: AbortSignal): Promise<void> {
  const there = await hashFile(blob, signal);
  signal.throwIfAborted();
  if (there !== sha256) await moveInto(partial, blob);
}

/** What has a sum is found by it. */
async function remaining(
  world: World,
  { kind, source, folder, listed, file }: FileOfModel,
  { access }: PullOptions,
): Promise<StoredFile | null> {
  if (file.sha256 !== null || file.gitName !== undefined) return null;
  return remainingFile(world, folder, file.path, {
    address: () => kind.address(world, source, listed, file, access),
    signal: access.signal,
  });
}

/** The sum of what lies at `partial` in the end, and what its server told of it. */
async function fetchProved(
  world: World,
  what: FileOfModel,
  partial: string,
  options: PullOptions,
): Promise<Pick<Identity, 'etag' | 'modified'> & { readonly sha256: string }> {
  const { file, source } = what;
  let before: string | null = null;
  for (const ranges of [true, true, false]) {
    const { etag, modified } = await fetchBytes(world, what, partial, ranges, options);
    if ((file.size ?? 0) > 256 * 1024 * 1024) options.onLine(`${file.path}: all there, proving its sum.`);
    const { sha256, found, expected } = await sumsOf(file, partial, options.access.signal);
    if (sha256 !== null && found === expected) {
      if (expected === null) await checkForm(world, file, partial);
      return { sha256, etag, modified };
    }
    await drop(world, partial);
    if (expected !== null) await checkListed(world, what, options);
    // The same bytes twice are what the place has: a third time would not change them.
    if (!ranges || found === before)
      throw new BerthError('DOWNLOAD_CORRUPT', {
        source: shownSource(source),
        file: file.path,
        expected: expected ?? '-',
        found: found ?? '-',
      });
    const how = before === null ? '' : ', from front to back';
    options.onLine(`${file.path}: its sum is wrong; it is fetched once more${how}.`);
    before = found;
  }
  throw new Error('unreachable');
}

interface Sums {
  /** What it is kept by. */
  readonly sha256: string | null;
  /** The sum that its place tells, and that of what came; both null where it tells none. */
  readonly expected: string | null;
  readonly found: string | null;
}

async function sumsOf(
  { sha256: listed, gitName, crc }: ListedFile,
  partial: string,
  signal: AbortSignal,
): Promise<Sums> {
  const sha256 = await hashFile(partial, signal);
  const inGit = listed === null && gitName !== undefined ? await gitNameOf(partial, signal) : null;
  signal.throwIfAborted();
  if (listed !== null) return { sha256, expected: `sha256 ${listed}`, found: `sha256 ${sha256 ?? '-'}` };
  if (gitName !== undefined) return { sha256, expected: `git ${gitName}`, found: `git ${inGit ?? '-'}` };
  if (crc === undefined) return { sha256, expected: null, found: null };
  const found = await crcOf(partial, crc.kind, signal);
  signal.throwIfAborted();
  return { sha256, expected: `${crc.kind} ${crc.value}`, found: `${crc.kind} ${found ?? '-'}` };
}

const formChecks: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ['.gguf', readGgufFile],
  ['.safetensors', checkSafetensors],
];

/** Without a sum, a page that says "not found" with status 200 would be believed. */
async function checkForm(world: World, file: ListedFile, partial: string): Promise<void> {
  const check = formChecks.find(([ending]) => file.path.endsWith(ending))?.[1];
  try {
    await check?.(partial);
  } catch (error) {
    await drop(world, partial);
    throw error;
  }
}

async function drop(world: World, partial: string): Promise<void> {
  await world.files.remove(partial);
  await world.files.remove(`${partial}.parts`);
}

async function fetchBytes(
  world: World,
  what: FileOfModel,
  partial: string,
  ranges: boolean,
  options: PullOptions,
): Promise<Identity> {
  const { kind, source, listed, file } = what;
  const { access, connections, stallMs, onBytes, onLine } = options;
  function address(): Promise<Address> {
    return kind.address(world, source, listed, file, access);
  }
  const { signal } = access;
  try {
    return await download(world.clock, {
      path: partial,
      address,
      size: file.size,
      ranges,
      connections,
      stallMs,
      env: world.env,
      signal,
      onProgress: onBytes,
      onTrouble: (reason) => onLine(`${file.path}: ${reason}.`),
      onChanged: () => checkListed(world, what, options),
    });
  } catch (error) {
    const shown = shownSource(source);
    if (error instanceof Refused)
      throw await kind.refusal(world, source, access, {
        status: error.status,
        headers: error.headers,
        text: error.said,
      });
    if (error instanceof Changed)
      throw new BerthError(
        'DOWNLOAD_CHANGED',
        { source: shown, file: file.path, reason: error.message },
        { cause: error },
      );
    if (error instanceof NoRoom)
      throw new BerthError(
        'MODEL_NO_ROOM',
        { path: storeOf(world).root, needed: null, free: await freeBytes(storeOf(world).root) },
        { cause: error },
      );
    if (error instanceof Unwritten) throw writeFault(storeOf(world).root, error.cause);
    if (error instanceof GaveUp)
      throw new BerthError(
        'MODEL_PLACE_FAILED',
        { source: shown, place: new URL((await address()).url).host, reason: error.message },
        { cause: error },
      );
    throw error;
  }
}

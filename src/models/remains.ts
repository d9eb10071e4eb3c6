import { identify } from '../io/download/identify.ts';
import type { Address } from '../io/download/connect.ts';
import { sameFile } from '../io/download/parts.ts';
import type { World } from '../io/world.ts';
import { readRecord, storeOf } from './cache.ts';
import type { StoredFile, StoredModel } from './cache.ts';

/** Keeps what is still good of a damaged model on record, so that the next pull need not fetch it anew. */
export async function recordRemains(
  world: World,
  model: StoredModel,
  damaged: ReadonlySet<string>,
): Promise<void> {
  const good = model.files.filter(({ path }) => !damaged.has(path));
  const text = `${JSON.stringify({ ...model, files: good }, null, 2)}\n`;
  await world.files.write(storeOf(world).remains(model.folder), text, 0o644);
}

/**
 * The file, where it remains of a damaged model and its place, which tells no sum, still has the same one by its tag or date; null
 * where that is not certain, and it has to be fetched.
 */
export async function remainingFile(
  world: World,
  folder: string,
  path: string,
  { address, signal }: { readonly address: () => Promise<Address>; readonly signal: AbortSignal },
): Promise<StoredFile | null> {
  const store = storeOf(world);
  const remains = readRecord(await world.files.read(store.remains(folder)));
  const file = remains?.files.find((one) => one.path === path);
  if (file === undefined || (!file.etag && !file.modified)) return null;
  if ((await world.files.stat(store.blob(file.sha256)))?.size !== file.size) return null;
  const now = await identify(await address(), { env: world.env, signal });
  const told = now !== null && ((file.etag && now.etag) || (file.modified && now.modified));
  const before = { size: file.size, etag: file.etag ?? null, modified: file.modified ?? null };
  return told && sameFile(before, now) ? file : null;
}

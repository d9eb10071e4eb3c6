import { join } from 'node:path';
import type { ListedFile, ListedModel } from '../domain/listed-model.ts';
import { shownSource } from '../domain/model-source.ts';
import { identify } from '../io/download/identify.ts';
import { sameFile } from '../io/download/parts.ts';
import { gitNameOf } from '../io/hash-file.ts';
import type { World } from '../io/world.ts';
import type { ModelSource, SourceAccess } from '../model-sources/contract.ts';
import { storeOf } from './cache.ts';
import type { StoredFile, StoredModel } from './cache.ts';
import { chooseFiles } from './choose-files.ts';

/** "unknown": its place tells too little of its files to say so. */
export type Newness = 'same' | 'newer' | 'unknown';

/** Whether its place has a model in another form than the store by now; nothing is fetched. Throws what listing does. */
export async function newnessOf(
  world: World,
  kind: ModelSource,
  source: string,
  model: StoredModel,
  { access, listed: given }: { readonly access: SourceAccess; readonly listed?: ListedModel },
): Promise<Newness> {
  const listed = given ?? (await kind.list(world, source, access));
  if (listed.revision !== null && listed.revision === model.revision) return 'same';
  const { files } = chooseFiles(shownSource(source), listed.files, kind.wanted(source));
  const stored = new Map(model.files.map((file) => [file.path, file]));
  if (files.length !== stored.size || files.some(({ path }) => !stored.has(path))) return 'newer';
  let all: Newness = 'same';
  for (const file of files) {
    const was = stored.get(file.path) as StoredFile;
    const now = await ofFile({ world, kind, source, model, listed, access }, file, was);
    if (now === 'newer') return now;
    if (now === 'unknown') all = now;
  }
  return all;
}

interface Asked {
  readonly world: World;
  readonly kind: ModelSource;
  readonly source: string;
  readonly model: StoredModel;
  readonly listed: ListedModel;
  readonly access: SourceAccess;
}

async function ofFile(
  { world, kind, source, model, listed, access }: Asked,
  file: ListedFile,
  was: StoredFile,
): Promise<Newness> {
  if (file.size !== null && file.size !== was.size) return 'newer';
  if (file.sha256 !== null) return file.sha256 === was.sha256 ? 'same' : 'newer';
  if (file.gitName !== undefined) {
    const path = join(storeOf(world).tree(model.folder), file.path);
    return (await gitNameOf(path, access.signal)) === file.gitName ? 'same' : 'newer';
  }
  const { sha256 } = (await kind.withSum?.(world, source, file, access)) ?? file;
  if (sha256 !== null) return sha256 === was.sha256 ? 'same' : 'newer';
  const address = await kind.address(world, source, listed, file, access);
  const now = await identify(address, { env: world.env, signal: access.signal });
  if (now === null) return 'unknown';
  const before = { size: was.size, etag: was.etag ?? null, modified: was.modified ?? null };
  if (!sameFile(before, now)) return 'newer';
  const told = (before.etag && now.etag) || (before.modified && now.modified);
  return told ? 'same' : 'unknown';
}

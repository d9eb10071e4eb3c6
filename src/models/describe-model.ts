import { basename, dirname, join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { shownSource } from '../domain/model-source.ts';
import type { ListedFile, ListedModel } from '../domain/listed-model.ts';
import { openSource } from '../io/byte-file.ts';
import type { ByteSource } from '../io/byte-file.ts';
import { Refused } from '../io/download/faults.ts';
import { openRemote } from '../io/download/remote-bytes.ts';
import type { World } from '../io/world.ts';
import { readGgufHeader } from '../model-files/gguf-read.ts';
import { splitFault } from '../model-files/gguf-split.ts';
import { elementCount, fileTypeName } from '../model-files/gguf-types.ts';
import type { GgufHeader } from '../model-files/gguf-types.ts';
import { readHfConfig } from '../model-files/hf-config.ts';
import { readSafetensors } from '../model-files/safetensors.ts';
import type { ModelSource, SourceAccess } from '../model-sources/contract.ts';
import { storeKey, storedModel } from './cache.ts';
import { chooseFiles } from './choose-files.ts';
import type { ChosenFiles } from './choose-files.ts';

type Opening = (file: ListedFile) => ByteSource | Promise<ByteSource>;

/** What a model is, by the fronts of its files; null is what they do not tell. */
export interface ModelFacts {
  readonly source: string;
  readonly revision: string | null;
  readonly licence: string | null;
  readonly format: 'gguf' | 'safetensors' | 'other';
  readonly architecture: string | null;
  readonly parameters: number | null;
  readonly quantization: string | null;
  /** Tokens that it was made for. */
  readonly context: number | null;
  readonly bytes: number | null;
  readonly files: readonly ListedFile[];
  /** It is in the store already. */
  readonly pulled: boolean;
}

type Header = Pick<ModelFacts, 'format' | 'architecture' | 'parameters' | 'quantization' | 'context'>;

/** Lists a model and reads the fronts of its files by ranges; nothing is kept. Throws what listing does, and the GGUF errors. */
export async function describeModel(
  world: World,
  kind: ModelSource,
  source: string,
  access: SourceAccess,
): Promise<ModelFacts> {
  const listed = await kind.list(world, source, access);
  const chosen = chooseFiles(shownSource(source), listed.files, kind.wanted(source));
  function open(file: ListedFile): ByteSource {
    return openRemote(
      `${shownSource(source)}: ${file.path}`,
      () => kind.address(world, source, listed, file, access),
      file.size ?? Number.MAX_SAFE_INTEGER,
      { env: world.env, signal: access.signal },
    );
  }
  try {
    const pulled =
      (await storedModel(world, storeKey(source, await kind.endpoint(world, access.secret)))) !== null;
    return await factsOf({ source: shownSource(source), pulled, listed, chosen, open });
  } catch (error) {
    if (error instanceof BerthError || access.signal.aborted) throw error;
    if (!(error instanceof Refused)) throw unread(source, error);
    throw await kind.refusal(world, source, access, {
      status: error.status,
      headers: error.headers,
      text: error.said,
    });
  }
}

function unread(source: string, cause: unknown): BerthError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const shown = shownSource(source);
  return new BerthError('MODEL_PLACE_FAILED', { source: shown, place: 'Its place', reason }, { cause });
}

/** The same of a file or folder of this machine, where it lies. Throws FILE_MISSING, MODEL_NOT_FOUND and what its reading does. */
export async function describePath(world: World, path: string): Promise<ModelFacts> {
  const found = await world.files.stat(path);
  if (!found) throw new BerthError('FILE_MISSING', { path, what: 'model' }, { exit: 'usage' });
  const folder = found.isFile ? dirname(path) : path;
  const names = await world.files.list(folder);
  const files = await Promise.all(names.map((name) => fileAt(world, folder, name)));
  const listed = { revision: null, licence: null, files: files.flatMap((one) => one ?? []) };
  const wanted = { path: found.isFile ? basename(path) : null, quant: null };
  const chosen = chooseFiles(path, listed.files, wanted);
  return factsOf({
    source: path,
    pulled: false,
    listed,
    chosen,
    open: (file) => openHere(join(folder, file.path)),
  });
}

async function openHere(path: string): Promise<ByteSource> {
  const source = await openSource(path).catch((cause: NodeJS.ErrnoException) => {
    throw new BerthError('FILE_UNREADABLE', { path, reason: cause.code ?? String(cause) }, { cause });
  });
  if (source === null) throw new BerthError('FILE_MISSING', { path, what: 'model' });
  return source;
}

async function fileAt({ files }: World, folder: string, name: string): Promise<ListedFile | null> {
  const found = await files.stat(join(folder, name));
  return found?.isFile ? { path: name, size: found.size, sha256: null } : null;
}

async function factsOf({
  source,
  pulled,
  listed,
  chosen,
  open,
}: {
  readonly source: string;
  readonly pulled: boolean;
  readonly listed: ListedModel;
  readonly chosen: ChosenFiles;
  readonly open: Opening;
}): Promise<ModelFacts> {
  const header = await (chosen.main?.toLowerCase().endsWith('.gguf')
    ? ggufFacts(chosen.files, open)
    : folderFacts(chosen, open));
  const sizes = chosen.files.map(({ size }) => size);
  return {
    source,
    revision: listed.revision,
    licence: listed.licence ?? header.licence ?? null,
    format: header.format,
    architecture: header.architecture,
    parameters: header.parameters,
    quantization: header.quantization,
    context: header.context,
    bytes: sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    files: chosen.files,
    pulled,
  };
}

type Facts = Header & { readonly licence?: string | null };

/** Of a split model each part holds its own tensors. */
async function ggufFacts(files: readonly ListedFile[], open: Opening): Promise<Facts> {
  const headers: GgufHeader[] = [];
  for (const file of files) {
    await using source = await open(file);
    headers.push(await readGgufHeader(source));
  }
  const [first] = headers;
  if (!first) throw new BerthError('GGUF_FOREIGN', { path: '-', found: 'there is no file' });
  const fault = splitFault(headers);
  if (fault)
    throw new BerthError('GGUF_BROKEN', { path: files[fault.part]?.path ?? '-', detail: fault.detail });
  const { metadata } = first;
  const architecture = metadata.get('general.architecture');
  const context = metadata.get(`${String(architecture)}.context_length`);
  const licence = metadata.get('general.license');
  const tensors = headers.flatMap((header) => header.tensors);
  return {
    format: 'gguf',
    architecture: typeof architecture === 'string' ? architecture : null,
    parameters: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    quantization: fileTypeName(first),
    context: typeof context === 'number' ? context : null,
    licence: typeof licence === 'string' ? licence : null,
  };
}

async function folderFacts({ files, main }: ChosenFiles, open: Opening): Promise<Facts> {
  const named = main === null ? 'config.json' : `${main}/config.json`;
  const config = files.find(({ path }) => path === named);
  const read = config === undefined ? null : readHfConfig(await textOf(config, open));
  const weights = files.filter(({ path }) => path.endsWith('.safetensors'));
  let parameters: number | null = weights.length === 0 ? null : 0;
  for (const file of weights) {
    await using source = await open(file);
    const header = await readSafetensors(source, read?.weightBits ?? null);
    const count = header?.parameters ?? null;
    parameters = count === null || parameters === null ? null : parameters + count;
  }
  return {
    format: weights.length > 0 ? 'safetensors' : 'other',
    architecture: read?.architecture ?? null,
    parameters,
    quantization: read?.quantization ?? null,
    context: read?.context ?? null,
  };
}

async function textOf(file: ListedFile, open: Opening): Promise<string> {
  await using source = await open(file);
  return (await source.read(0, Math.min(file.size ?? 1024 * 1024, 1024 * 1024))).toString('utf8');
}

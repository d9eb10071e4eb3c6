import { basename } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { isSafePath } from '../domain/listed-model.ts';
import type { ListedFile, WantedFiles } from '../domain/listed-model.ts';
import { splitSet } from '../domain/split-files.ts';

export interface ChosenFiles {
  readonly files: readonly ListedFile[];
  /** What an engine is given: a file, of a split model the first, or a folder below; null where it is given all. */
  readonly main: string | null;
}

/** The quantization that is taken where a place has several and none is named: what llama.cpp takes too. */
const usualQuant = 'Q4_K_M';

/**
 * The files that belong to what a source asks for. GGUF: one model, of a split one all parts. Else what vLLM and its like load:
 * safetensors, configuration and tokenizer, without the same weights in older formats. Throws MODEL_CHOICE and MODEL_NOT_FOUND.
 */
export function chooseFiles(source: string, listed: readonly ListedFile[], wanted: WantedFiles): ChosenFiles {
  const files = listed.filter(({ path }) => isSafePath(path));
  if (wanted.path !== null) return named(source, files, { path: wanted.path, quant: wanted.quant });
  const [sole, ...more] = files;
  // An address of that very file, which may be a projector.
  if (sole && more.length === 0 && isGguf(sole.path) && wanted.quant === null)
    return withParts(files, sole.path, source);
  const models = firstParts(files.filter(({ path }) => isGguf(path) && !isProjector(path)));
  if (wanted.quant !== null) return ofQuant(source, files, models, wanted.quant);
  if (models.length === 0) return folderOf(source, files);
  const [only] = models;
  const usual = fittingQuant(models, usualQuant);
  const chosen = models.length === 1 ? only : usual.length === 1 ? usual[0] : undefined;
  if (chosen !== undefined) return withParts(files, chosen.path, source);
  throw new BerthError('MODEL_CHOICE', {
    source,
    reason: `there are ${models.length} models and no single ${usualQuant}`,
    ...(source.startsWith('hf://')
      ? {
          choices: models.map(({ path }) => quantOf(path) ?? path),
          form: `${source}:QUANT or ${source}/FILE`,
        }
      : { choices: models.map(({ path }) => path), form: `${source}/FILE` }),
  });
}

function named(
  source: string,
  files: readonly ListedFile[],
  { path, quant }: { readonly path: string; readonly quant: string | null },
): ChosenFiles {
  if (files.some((file) => file.path === path)) return withParts(files, path, source);
  const below = files.filter((file) => file.path.startsWith(`${path}/`));
  if (below.some((file) => isGguf(file.path) && !isProjector(file.path)) || quant !== null)
    return chooseFiles(source, below, { path: null, quant });
  if (below.length > 0) return insideFolder(source, below, path);
  const near = files.filter((file) => isGguf(file.path) || file.path.endsWith('.safetensors'));
  throw new BerthError('MODEL_NOT_FOUND', {
    source,
    what: `it has no file ${path}`,
    near: near.slice(0, 12).map((file) => file.path),
  });
}

/** A folder as it would be by itself: with its own configuration and tokenizer. */
function insideFolder(source: string, below: readonly ListedFile[], folder: string): ChosenFiles {
  const within = below.map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }));
  const { files } = folderOf(source, within);
  return { files: files.map((file) => ({ ...file, path: `${folder}/${file.path}` })), main: folder };
}

function ofQuant(
  source: string,
  files: readonly ListedFile[],
  models: readonly ListedFile[],
  quant: string,
): ChosenFiles {
  const fitting = fittingQuant(models, quant);
  const [chosen] = fitting;
  if (fitting.length === 1 && chosen) return withParts(files, chosen.path, source);
  if (fitting.length > 1)
    throw new BerthError('MODEL_CHOICE', {
      source,
      reason: `${fitting.length} models are ${quant}`,
      choices: fitting.map(({ path }) => path),
      form: `${source.replace(/:[^:/]*$/, '')}/FILE`,
    });
  throw new BerthError('MODEL_NOT_FOUND', {
    source,
    what: `it has no model that is ${quant}`,
    near: models.map(({ path }) => quantOf(path) ?? path),
  });
}

/** A file and, where it is one part of several, all the others, each of which must be there. */
function withParts(files: readonly ListedFile[], path: string, source: string): ChosenFiles {
  const folder = path.slice(0, path.length - basename(path).length);
  const names = splitSet(basename(path)).map((name) => folder + name);
  const found = names.map((name) => files.find((file) => file.path === name));
  const missing = names.filter((_, i) => found[i] === undefined);
  if (missing.length > 0)
    throw new BerthError('MODEL_NOT_FOUND', { source, what: `it lacks ${missing.join(', ')}`, near: [] });
  return { files: found.filter((file) => file !== undefined), main: names[0] ?? path };
}

function folderOf(source: string, files: readonly ListedFile[]): ChosenFiles {
  const safe = files.filter(({ path }) => path.endsWith('.safetensors'));
  const weights = safe.length > 0 ? safe : files.filter(({ path }) => /\.(bin|pt|pth)$/.test(path));
  if (weights.length === 0)
    throw new BerthError('MODEL_NOT_FOUND', {
      source,
      what: 'it holds neither GGUF nor safetensors files',
      near: [],
    });
  // One repository often has the weights twice: split below "original/" or as one "consolidated" file beside the sharded ones.
  const top = weights.filter(({ path }) => !path.includes('/'));
  const sharded = top.filter(({ path }) => !basename(path).startsWith('consolidated'));
  const taken = sharded.length > 0 ? sharded : top.length > 0 ? top : weights;
  const rest = files.filter(
    ({ path }) => !path.includes('/') && /\.(json|jinja|model|txt|tiktoken|py)$/.test(path),
  );
  return { files: [...rest, ...taken], main: null };
}

function firstParts(files: readonly ListedFile[]): ListedFile[] {
  return files.filter(({ path }) => splitSet(basename(path))[0] === basename(path));
}

function isGguf(path: string): boolean {
  return path.toLowerCase().endsWith('.gguf');
}

/** Projectors and importance matrices lie beside models and are none. */
function isProjector(path: string): boolean {
  return /mmproj|imatrix/i.test(basename(path));
}

/** Those of that very name before those whose name has it behind another word, as "UD-Q4_K_M" and "f16.Q8_0" do. */
function fittingQuant(models: readonly ListedFile[], quant: string): ListedFile[] {
  const exact = models.filter(({ path }) => quantOf(path)?.toLowerCase() === quant.toLowerCase());
  return exact.length > 0 ? exact : models.filter(({ path }) => hasQuant(path, quant));
}

/** What may follow in the name of one quantization. */
const morePart = String.raw`_(?:\d+|K|NL|X*[SML]|MOE)`;

/** Q4_0 is not Q4_0_4_4, nor Q2_K one of Q2_K_L. */
function hasQuant(path: string, quant: string): boolean {
  const name = quant.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(?:^|[-._/])${name}(?!${morePart}(?:[-._/]|$))(?:[-._/]|$)`, 'i').test(path);
}

/** As its own name tells it, else the folder that it lies in. */
function quantOf(path: string): string | null {
  const name = basename(path);
  return quantIn(name) ?? quantIn(path.slice(0, -name.length));
}

function quantIn(text: string): string | null {
  const found =
    /(?:^|[-._/])((?:UD-)?(?:[IT]?Q\d(?:_(?:\d+|K|NL|X*[SML]))*|(?:B?F|FP)(?:8|16|32)|MXFP4(?:_MOE)?))(?=[-._/]|$)/i;
  return found.exec(text)?.[1] ?? null;
}

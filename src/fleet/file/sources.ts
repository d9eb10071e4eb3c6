import { createHash } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import type { World } from '../../io/world.ts';
import { fault } from './fault.ts';
import { resolvePaths } from './file-paths.ts';
import { overlay, pieceAt, readTree } from './tree.ts';
import type { Located } from './tree.ts';

export interface SourceFile {
  readonly path: string;
  readonly sha256: string;
  /** Another one names it; absent: it was asked for. */
  readonly imported?: true | undefined;
}

export interface Sources {
  /** All files laid over each other; null when one of them has faults of syntax. */
  readonly tree: Located | null;
  readonly faults: ConfigFault[];
  /** The first file that was named: the place of the fleet. */
  readonly main: string;
  /** In the order in which they were laid over each other. */
  readonly files: SourceFile[];
}

/** Files that are looked for when none is named, the first that exists is taken. */
export function usualFiles(world: World, cwd: string): string[] {
  return [join(cwd, 'berth.yaml'), join(world.places.config, 'berth.yaml')];
}

/** Reads the named files (or the usual one) and all that they import, later ones over earlier ones. */
export async function readSources(
  world: World,
  options: { files: readonly string[]; cwd: string },
): Promise<Sources> {
  const paths =
    options.files.length > 0
      ? options.files.map((file) => resolve(options.cwd, file))
      : [await findUsual(world, options.cwd)];
  const reading: Reading = { world, cwd: options.cwd, faults: [], files: [], whole: true };
  let tree: Located | null = null;
  for (const path of paths) {
    const text = await readText(world, path);
    if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'fleet file' }, { exit: 'usage' });
    const read = await readWithImports(reading, path, text, []);
    tree = tree && read ? overlay(tree, read) : (tree ?? read);
  }
  return {
    tree: reading.whole ? tree : null,
    faults: reading.faults,
    files: reading.files,
    main: paths[0] ?? '',
  };
}

async function findUsual(world: World, cwd: string): Promise<string> {
  const looked = usualFiles(world, cwd);
  for (const path of looked) if ((await world.files.stat(path))?.isFile) return path;
  throw new BerthError('CONFIG_MISSING', { looked });
}

/** Null when there is no such file. Throws FILE_UNREADABLE for a folder or one that others may not read. */
async function readText(world: World, path: string): Promise<string | null> {
  try {
    return await world.files.read(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'EISDIR' ? 'it is a folder' : (code ?? String(cause));
    throw new BerthError('FILE_UNREADABLE', { path, reason }, { cause, exit: 'usage' });
  }
}

interface Reading {
  readonly world: World;
  readonly cwd: string;
  readonly faults: ConfigFault[];
  readonly files: SourceFile[];
  whole: boolean;
}

async function readWithImports(
  reading: Reading,
  path: string,
  text: string,
  above: readonly string[],
): Promise<Located | null> {
  const { tree, faults } = readTree(displayName(path, reading.cwd), text);
  reading.faults.push(...faults);
  if (tree === null) {
    reading.whole = false;
    return null;
  }
  const rooted = resolvePaths(tree, { folder: dirname(path), home: reading.world.places.home });
  let under: Located | null = null;
  const imports = pieceAt(rooted, ['imports'])?.content;
  for (const item of imports?.kind === 'list' ? imports.items : []) {
    const read = await readImport(reading, path, item, above);
    under = under && read ? overlay(under, read) : (under ?? read);
  }
  const sha256 = createHash('sha256').update(text).digest('hex');
  reading.files.push({ path, sha256, ...(above.length > 0 ? { imported: true } : {}) });
  return under ? overlay(under, rooted) : rooted;
}

async function readImport(
  reading: Reading,
  from: string,
  item: Located,
  above: readonly string[],
): Promise<Located | null> {
  // A value of another type is told by the schema.
  if (item.content.kind !== 'scalar' || typeof item.content.value !== 'string') return null;
  const path = resolve(dirname(from), item.content.value);
  if (path === from || above.includes(path)) {
    reading.faults.push(
      fault(item, item.at, 'This file imports itself, over others or at once.', 'Remove it.'),
    );
    return null;
  }
  const text = await readText(reading.world, path);
  if (text === null) {
    reading.faults.push(
      fault(
        item,
        item.at,
        `There is no file ${path}.`,
        'A relative path counts from the folder of this file.',
      ),
    );
    return null;
  }
  return readWithImports(reading, path, text, [...above, from]);
}

function displayName(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}

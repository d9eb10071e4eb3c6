import { join } from 'node:path';
import { readLink, listNames, readText } from '../io/procfs/read.ts';
import type { Procfs } from '../io/procfs/read.ts';
import type { Files } from '../io/files.ts';
import { lookedAt } from './closed-files.ts';
import { givenByUnit, givenFolders, givenModels, givenPaths, variablesIn } from './given-paths.ts';
import type { Given } from './given-paths.ts';
import { unitsOf } from './units.ts';
import type { UnitUser } from './units.ts';

/** A folder below `trees`, and the paths that hold what is in it. */
export interface StoreFolder {
  readonly folder: string;
  readonly paths: readonly string[];
}

/** Where this machine tells what it runs, and what it would start. */
export interface Users extends UnitUser {
  readonly proc: Procfs;
  readonly files: Pick<Files, 'stat' | 'list' | 'read'>;
  /** What containers are given, whether they run or not. */
  readonly containers: readonly Given[];
}

export interface Uses {
  readonly folders: ReadonlySet<string>;
  /** Files and folders that units are or name and that cannot be read, models too: what lies there is not known. */
  readonly unread: readonly string[];
}

/**
 * Those of these folders that a process, a container, a unit of systemd or a Quadlet file of this machine is given, by its command line
 * or mounted into it, under whatever name of a file, and whether it runs or not.
 */
export async function foldersInUse(users: Users, folders: readonly StoreFolder[]): Promise<Uses> {
  const ids = await idsOf(users, folders);
  const used = new Set<string>();
  const texts: string[] = [];
  const given = [...users.containers];
  for (const pid of listNames(users.proc, '').filter((name) => /^\d+$/.test(name))) {
    const words = (readText(users.proc, `${pid}/cmdline`) ?? '').split('\0');
    texts.push(readText(users.proc, `${pid}/mountinfo`) ?? '');
    const folder = readLink(users.proc, `${pid}/cwd`) ?? '/';
    const variables = (readText(users.proc, `${pid}/environ`) ?? '').split('\0');
    given.push({
      words: [...words, ...variables.filter((one) => /^\w*model\w*=/i.test(one))],
      mounts: [],
      folder,
    });
  }
  const paths = new Set<string>();
  for (const folder of new Set(given.flatMap(givenFolders)))
    for (const path of await lookedThrough(users.files, folder)) paths.add(path);
  const looked = lookedAt(users.files);
  for (const unit of await unitsOf(looked, users)) {
    texts.push(unit.text);
    const byUnit = givenByUnit(unit);
    const whole = { ...byUnit, words: [...byUnit.words, ...unit.variables.flatMap(variablesIn)] };
    given.push(whole);
    for (const path of givenModels(whole)) await looked.stat(path);
    for (const folder of givenFolders(whole))
      for (const path of await lookedThrough(looked, folder)) paths.add(path);
  }
  for (const path of given.flatMap(givenPaths)) paths.add(path);
  for (const path of paths)
    for (const folder of ids.get((await idOf(users, path)) ?? '') ?? []) used.add(folder);
  texts.push(...paths);
  for (const text of texts.filter((one) => one.includes('trees/')))
    for (const { folder } of folders) if (text.includes(`trees/${folder}`)) used.add(folder);
  return { folders: used, unread: looked.closed() };
}

async function idOf({ files }: Users, path: string): Promise<string | null> {
  return (await files.stat(path).catch(() => null))?.id ?? null;
}

/** Folders by the ids of what they hold: contents that are alike have one id. */
async function idsOf(users: Users, folders: readonly StoreFolder[]): Promise<Map<string, string[]>> {
  const ids = new Map<string, string[]>();
  for (const { folder, paths } of folders)
    for (const path of paths) {
      const id = await idOf(users, path);
      if (id !== null) ids.set(id, [...(ids.get(id) ?? []), folder]);
    }
  return ids;
}

/** A server looks into the folders of a folder, and no deeper. */
async function lookedThrough(files: Pick<Files, 'list'>, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await files.list(folder).catch(() => [])) {
    const path = join(folder, name);
    const below = await files.list(path).catch(() => []);
    paths.push(path, ...below.map((one) => join(path, one)));
  }
  return paths;
}

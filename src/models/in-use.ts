import { join } from 'node:path';
import { readLink, listNames, readText } from '../io/procfs/read.ts';
import type { Procfs } from '../io/procfs/read.ts';
import type { Files } from '../io/files.ts';
import { givenByUnit, givenFolders, givenPaths, variableFiles, variablesIn } from './given-paths.ts';
import type { Given } from './given-paths.ts';

/** A folder below `trees`, and the paths that hold what is in it. */
export interface StoreFolder {
  readonly folder: string;
  readonly paths: readonly string[];
}

/** Where this machine tells what it runs, and what it would start. */
export interface Users {
  readonly proc: Procfs;
  readonly files: Pick<Files, 'stat' | 'list' | 'read'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What containers are given, whether they run or not. */
  readonly containers: readonly Given[];
}

/**
 * Those of these folders that a process, a container, a unit of systemd or a Quadlet file of this machine is given, by its command line
 * or mounted into it, under whatever name of a file, and whether it runs or not.
 */
export async function foldersInUse(
  users: Users,
  folders: readonly StoreFolder[],
): Promise<ReadonlySet<string>> {
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
  for (const unit of await unitsOf(users)) {
    texts.push(unit.text);
    given.push(await givenWithFiles(users, unit));
  }
  const paths = new Set(given.flatMap(givenPaths));
  for (const folder of new Set(given.flatMap(givenFolders)))
    for (const path of await lookedThrough(users, folder)) paths.add(path);
  for (const path of paths)
    for (const folder of ids.get((await idOf(users, path)) ?? '') ?? []) used.add(folder);
  texts.push(...paths);
  for (const text of texts.filter((one) => one.includes('trees/')))
    for (const { folder } of folders) if (text.includes(`trees/${folder}`)) used.add(folder);
  return used;
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

const systemUnits = ['/etc/systemd/system', '/run/systemd/system', '/etc/containers/systemd'];

interface UnitOf {
  /** With what changes it, which lies in folders beside it. */
  readonly text: string;
  readonly folder: string;
}

/** A server looks into the folders of a folder, and no deeper. */
async function lookedThrough({ files }: Users, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await files.list(folder).catch(() => [])) {
    const path = join(folder, name);
    const below = await files.list(path).catch(() => []);
    paths.push(path, ...below.map((one) => join(path, one)));
  }
  return paths;
}

/** Its files of variables that can be read are part of it. */
async function givenWithFiles({ files, env }: Users, { text, folder }: UnitOf): Promise<Given> {
  const home = env['HOME'] ?? '/';
  const given = givenByUnit(text, home);
  const named = variableFiles(text, { home, folder });
  const texts = await Promise.all(named.map((path) => files.read(path).catch(() => null)));
  return { ...given, words: [...given.words, ...texts.flatMap((one) => variablesIn(one ?? ''))] };
}

async function unitsOf({ files, env }: Users): Promise<UnitOf[]> {
  const config = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '/', '.config');
  const places = [...systemUnits, join(config, 'systemd/user'), join(config, 'containers/systemd')];
  const units: UnitOf[] = [];
  async function textsIn(folder: string, names: readonly string[]): Promise<string> {
    const texts = await Promise.all(names.map((name) => files.read(join(folder, name)).catch(() => null)));
    return texts.join('\n');
  }
  for (const folder of places) {
    const names = await files.list(folder).catch((): string[] => []);
    const known = names.map((name) => name.replace(/\.d$/, '')).filter((name) => isUnit.test(name));
    for (const name of new Set(known)) {
      const drop = join(folder, `${name}.d`);
      const changes = names.includes(`${name}.d`) ? await files.list(drop).catch((): string[] => []) : [];
      const own = await textsIn(folder, names.includes(name) ? [name] : []);
      const text = `${own}\n${await textsIn(drop, changes.filter((one) => one.endsWith('.conf')).toSorted())}`;
      units.push({ text, folder });
    }
  }
  return units;
}

const isUnit = /\.(?:service|container|pod|kube|volume)$/;

import { join } from 'node:path';
import { readLink, listNames, readText } from '../io/procfs/read.ts';
import type { Procfs } from '../io/procfs/read.ts';
import type { Files } from '../io/files.ts';
import { givenByUnit, givenPaths } from './given-paths.ts';
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
  const paths = new Set(users.containers.flatMap(givenPaths));
  for (const pid of listNames(users.proc, '').filter((name) => /^\d+$/.test(name))) {
    const words = (readText(users.proc, `${pid}/cmdline`) ?? '').split('\0');
    texts.push(readText(users.proc, `${pid}/mountinfo`) ?? '');
    const folder = readLink(users.proc, `${pid}/cwd`) ?? '/';
    for (const path of givenPaths({ words, mounts: [], folder })) paths.add(path);
  }
  for (const text of await unitTexts(users)) {
    texts.push(text);
    for (const path of givenPaths(givenByUnit(text, users.env['HOME'] ?? '/'))) paths.add(path);
  }
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

/** With what changes them, which lies in folders beside them. */
async function unitTexts({ files, env }: Users): Promise<string[]> {
  const config = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '/', '.config');
  const places = [...systemUnits, join(config, 'systemd/user'), join(config, 'containers/systemd')];
  const texts: string[] = [];
  async function read(folder: string, names: RegExp): Promise<void> {
    for (const name of await files.list(folder).catch(() => [])) {
      if (/\.(?:service|container|pod)\.d$/.test(name)) await read(join(folder, name), /\.conf$/);
      if (names.test(name)) texts.push((await files.read(join(folder, name)).catch(() => null)) ?? '');
    }
  }
  for (const place of places) await read(place, /\.(?:service|container|pod|kube|volume)$/);
  return texts;
}

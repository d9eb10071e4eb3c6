import { join, resolve } from 'node:path';
import { readLink, listNames, readText } from '../io/procfs/read.ts';
import type { Procfs } from '../io/procfs/read.ts';
import type { Files } from '../io/files.ts';

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
}

/**
 * Those of these folders that a process of this machine is given, by its command line, under whatever name of the file, or mounted
 * into its container; and those that a unit of systemd or a Quadlet file names, whether it runs or not.
 */
export async function foldersInUse(
  users: Users,
  folders: readonly StoreFolder[],
): Promise<ReadonlySet<string>> {
  const ids = await idsOf(users, folders);
  const used = new Set<string>();
  const texts = await unitTexts(users);
  for (const pid of listNames(users.proc, '').filter((name) => /^\d+$/.test(name))) {
    const given = readText(users.proc, `${pid}/cmdline`) ?? '';
    texts.push(`${given}\0${readText(users.proc, `${pid}/mountinfo`) ?? ''}`);
    for (const path of pathsIn(given, () => readLink(users.proc, `${pid}/cwd`) ?? '/'))
      for (const folder of ids.get((await idOf(users, path)) ?? '') ?? []) used.add(folder);
  }
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

/** Arguments that may be a model; each value of "--flag=PATH" too. */
function pathsIn(cmdline: string, cwd: () => string): string[] {
  const words = cmdline
    .split('\0')
    .map((word) => (/^--?[\w-]+=/.test(word) ? word.replace(/^[^=]*=/, '') : word));
  const likely = words.filter(
    (word) => word.length < 4096 && /^[^\n]*(?:\/|\.gguf$|\.safetensors$)/.test(word),
  );
  return likely.map((word) => (word.startsWith('/') ? word : resolve(cwd(), word)));
}

const systemUnits = ['/etc/systemd/system', '/etc/containers/systemd'];

async function unitTexts({ files, env }: Users): Promise<string[]> {
  const config = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '/', '.config');
  const places = [...systemUnits, join(config, 'systemd/user'), join(config, 'containers/systemd')];
  const texts: string[] = [];
  for (const place of places)
    for (const name of await files.list(place).catch(() => []))
      if (/\.(?:service|container|pod|kube|volume)$/.test(name))
        texts.push((await files.read(join(place, name)).catch(() => null)) ?? '');
  return texts;
}

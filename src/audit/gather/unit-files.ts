import { prefixesOf, templateOf } from '../../domain/unit-names.ts';
import type { World } from '../../io/world.ts';
import { ask } from '../../targets/systemd/scope.ts';
import type { Scope } from '../../targets/systemd/scope.ts';

/**
 * A file that makes a unit of this name, with the folders of what lies over it: a file there hides those of its name in folders
 * behind. Of a template: one for each of its instances.
 */
export interface UnitFile {
  readonly name: string;
  readonly path: string;
  readonly dropIns: readonly string[];
}

/** Every unit that files of these folders make, later folders over earlier ones. */
export async function unitFiles(world: World, scope: Scope, folders: readonly string[]): Promise<UnitFile[]> {
  const lists = await Promise.all(folders.map((folder) => world.files.list(folder).catch(() => [])));
  const paths = new Map<string, string>();
  const drops = new Set<string>();
  for (const [index, names] of lists.entries()) {
    for (const name of names) {
      const path = `${folders[index]}/${name}`;
      if (/(^|\.)service\.d$/.test(name)) drops.add(path);
      if (name.endsWith('.service')) paths.set(name, path);
    }
  }
  const templates = [...paths.keys()].filter((name) => name.endsWith('@.service'));
  const instances = await instancesOf(world, scope, { templates, folders, lists });
  const own = [...paths].filter(([name]) => !name.endsWith('@.service'));
  const made = instances
    .filter((name) => !paths.has(name))
    .map((name) => [name, paths.get(templateOf(name)) ?? ''] as const);
  return [...own, ...made].map(([name, path]) => ({
    name,
    path,
    dropIns: dropInFolders(name, folders).filter((folder) => drops.has(folder)),
  }));
}

/** Those of the unit, of its template, of all units whose names begin alike, and of all services, the strongest first. */
function dropInFolders(name: string, folders: readonly string[]): string[] {
  const strongest = folders.toReversed();
  const names = [...new Set([name, templateOf(name)])].flatMap((one) => [one, ...prefixesOf(one)]);
  return [
    ...strongest.flatMap((folder) => names.map((one) => `${folder}/${one}.d`)),
    ...strongest.map((folder) => `${folder}/service.d`),
  ];
}

/** Those that systemd has loaded, and those that are started at boot. */
async function instancesOf(
  world: World,
  scope: Scope,
  seen: {
    templates: readonly string[];
    folders: readonly string[];
    lists: readonly (readonly string[])[];
  },
): Promise<string[]> {
  const { templates, folders, lists } = seen;
  if (templates.length === 0) return [];
  const patterns = templates.map((name) => name.replace('@.', '@*.'));
  const wanted = folders.flatMap((folder, index) =>
    (lists[index] ?? [])
      .filter((name) => /\.(wants|requires)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const [loaded, links] = await Promise.all([
    ask(world, scope, ['list-units', '--all', '--plain', '--no-legend', '--full', ...patterns]),
    Promise.all(wanted.map((folder) => world.files.list(folder).catch(() => []))),
  ]);
  const names = [
    ...loaded.stdout.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? ''),
    ...links.flat(),
  ];
  return [...new Set(names)].filter(
    (name) => /@.+\.service$/.test(name) && templates.includes(templateOf(name)),
  );
}

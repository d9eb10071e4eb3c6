import { join } from 'node:path';
import { nameSpecifiers, prefixesOf, templateOf } from '../domain/unit-names.ts';
import { variableFiles } from './given-paths.ts';
import { filesNamed } from './closed-files.ts';
import type { Looked } from './closed-files.ts';

/** Of which user's units and folders it is. */
export interface UnitUser {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

/** A unit of systemd or a Quadlet file, with what changes it, wherever that lies. */
export interface UnitOf {
  readonly text: string;
  /** What "%h" is: of a unit of the system root's, whoever its program runs as. */
  readonly home: string;
  /** What "~" is: of whom its program runs as. */
  readonly runsAt: string;
  /** What its files of variables hold, as far as they can be read. */
  readonly variables: readonly string[];
}

/** Every unit of the system and of this user, also those that packages have brought, whether they run or not. */
export async function unitsOf(looked: Looked, user: UnitUser): Promise<UnitOf[]> {
  const homes = homesIn((await looked.read('/etc/passwd')) ?? '');
  const found = groupsOf(user).map(async ({ folders, home }) => {
    const pieces = (await Promise.all(folders.map((folder) => piecesIn(looked, folder)))).flat();
    const units = [...joined(pieces)];
    return Promise.all(units.map(([name, of]) => unitOf(looked, { name, user, home, homes }, of)));
  });
  return (await Promise.all(found)).flat(2);
}

interface Group {
  readonly folders: readonly string[];
  /** Of whom systemd runs as there. */
  readonly home: string;
}

/** Those of one group change each other's units. */
function groupsOf(user: UnitUser): Group[] {
  const { home, config, data, run } = ownFolders(user);
  const shared = ['/usr/lib', '/usr/local/lib', '/etc', '/run'];
  return [
    {
      home: homeOfRoot,
      folders: [
        ...['/lib', ...shared].map((root) => `${root}/systemd/system`),
        '/run/systemd/transient',
        '/run/systemd/generator',
      ],
    },
    {
      home,
      folders: [
        ...['/lib', ...shared].map((root) => `${root}/systemd/user`),
        ...[config, data, run].map((root) => join(root, 'systemd/user')),
        join(run, 'systemd/transient'),
        join(run, 'systemd/generator'),
      ],
    },
    {
      home: homeOfRoot,
      folders: ['/usr/share', '/run', '/etc'].map((root) => `${root}/containers/systemd`),
    },
    {
      home,
      folders: [
        '/etc/containers/systemd/users',
        `/etc/containers/systemd/users/${user.uid}`,
        join(config, 'containers/systemd'),
      ],
    },
  ];
}

/** Of root, whatever a variable says. */
const homeOfRoot = '/root';

/** Homes of users by name and by number. Pure. */
function homesIn(passwd: string): ReadonlyMap<string, string> {
  return new Map(
    passwd.split('\n').flatMap((line) => {
      const [name = '', , uid = '', , , home = ''] = line.split(':');
      return home === '' ? [] : [name, uid].map((one) => [one, home] as const);
    }),
  );
}

function ownFolders({ env, uid }: UnitUser): Record<'home' | 'config' | 'data' | 'state' | 'run', string> {
  const home = env['HOME'] ?? '/';
  return {
    home,
    config: env['XDG_CONFIG_HOME'] ?? join(home, '.config'),
    data: env['XDG_DATA_HOME'] ?? join(home, '.local/share'),
    state: env['XDG_STATE_HOME'] ?? join(home, '.local/state'),
    run: env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`,
  };
}

interface Piece {
  /** That of a drop-in may be a template, a prefix ("toy-.service") or a type alone ("service"). */
  readonly unit: string;
  readonly isDropIn: boolean;
  readonly text: string;
  readonly folder: string;
}

const isUnit = /\.(?:service|container|pod|kube|volume)$/;
const isChanged = /^(?:.*\.)?(?:service|container|pod|kube|volume)\.d$/;

/**
 * Each unit with what changes it, the most special last. What changes several, and none that is here, stands for itself, since the
 * unit may only be named where it is started.
 */
function joined(pieces: readonly Piece[]): Map<string, readonly Piece[]> {
  const byName = Map.groupBy(pieces, ({ unit }) => unit);
  const names = [...byName.keys()].filter((name) => !isForSeveral(name));
  const units = names.map((name) => {
    const all = [...changersOf(name), name].flatMap((one) => byName.get(one) ?? []);
    const { files = [], dropIns = [] } = Object.groupBy(all, ({ isDropIn }) =>
      isDropIn ? 'dropIns' : 'files',
    );
    return [name, [...files, ...dropIns]] as const;
  });
  const taken = new Set(units.flatMap(([, of]) => of));
  const left = [...byName].filter(([, of]) => of.some((piece) => !taken.has(piece)));
  return new Map([...left, ...units]);
}

function isForSeveral(unit: string): boolean {
  return !isUnit.test(unit) || unit.includes('-.');
}

/** What changes a unit beside its own folder: that of its type, of what its name begins with, and its template. Pure. */
function changersOf(unit: string): string[] {
  const type = unit.slice(unit.lastIndexOf('.') + 1);
  const template = templateOf(unit);
  return [type, ...prefixesOf(unit).toReversed(), ...(template === unit ? [] : [template])];
}

async function piecesIn(looked: Looked, folder: string): Promise<Piece[]> {
  const names = await looked.list(folder);
  const found = names.map(async (name): Promise<Piece[]> => {
    const isDropIn = isChanged.test(name);
    if (!isDropIn && !isUnit.test(name)) return [];
    const unit = name.replace(/\.d$/, '');
    const paths = isDropIn ? await changesIn(looked, join(folder, name)) : [join(folder, name)];
    const texts = await Promise.all(paths.map((path) => looked.read(path)));
    return texts.map((text) => ({ unit, isDropIn, text: text ?? '', folder }));
  });
  return (await Promise.all(found)).flat();
}

async function changesIn(looked: Looked, folder: string): Promise<string[]> {
  const names = await looked.list(folder);
  return names
    .filter((name) => name.endsWith('.conf'))
    .toSorted()
    .map((name) => join(folder, name));
}

async function unitOf(
  looked: Looked,
  {
    name,
    user,
    home,
    homes,
  }: { name: string; user: UnitUser; home: string; homes: ReadonlyMap<string, string> },
  pieces: readonly Piece[],
): Promise<UnitOf> {
  const patterns = pieces
    .flatMap(({ text, folder }) =>
      variableFiles(text, { home, folder }).map((path) => withItsName(path, name)),
    )
    .flatMap((path) => withoutRoots(path, user));
  const named = await Promise.all([...new Set(patterns)].map((pattern) => filesNamed(looked, pattern)));
  const texts = await Promise.all([...new Set(named.flat())].map((path) => looked.read(path)));
  const text = pieces.map((one) => one.text).join('\n');
  const runsAs = [...text.matchAll(/^\s*User\s*=\s*(.*?)\s*$/gm)].at(-1)?.[1];
  return {
    text,
    home,
    runsAt: homes.get(runsAs ?? '') ?? home,
    variables: texts.filter((one) => one !== null),
  };
}

/** Specifiers for the name of a unit are filled in; of a template or a prefix nobody knows what it will be called. */
function withItsName(path: string, unit: string): string {
  if (isForSeveral(unit)) return path;
  const known = nameSpecifiers(unit);
  const letters = unit.includes('@.') ? ['p', 'P', 'j'] : Object.keys(known);
  return path.replaceAll(/%([A-Za-z])/g, (whole, letter: string) =>
    letters.includes(letter) ? (known[letter] ?? whole) : whole,
  );
}

/** A specifier of systemd that a path begins with is another folder for the system than for a user; both are looked at. */
function withoutRoots(path: string, user: UnitUser): string[] {
  const { config, state, run } = ownFolders(user);
  const roots: Record<string, string[]> = {
    E: ['/etc', config],
    S: ['/var/lib', state, config],
    t: ['/run', run],
    T: ['/tmp'],
    V: ['/var/tmp'],
  };
  const [, letter = '', rest = ''] = /\/%([A-Za-z])(\/.*)$/.exec(path) ?? [];
  return roots[letter]?.map((root) => `${root}${rest}`) ?? [path];
}

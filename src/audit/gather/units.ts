import type { ObservedUnit } from '../../domain/audit/observation.ts';
import type { World } from '../../io/world.ts';
import { ask, systemScope, userScope } from '../../targets/systemd/scope.ts';
import type { Scope } from '../../targets/systemd/scope.ts';
import { markLabel } from '../../container/render.ts';
import { inForce, readUnit, valuesOf } from '../../targets/systemd/unit-text.ts';
import type { UnitText } from '../../targets/systemd/unit-text.ts';
import { handedOver } from '../../domain/command-line/handed-over.ts';
import { definedServer } from './defined-server.ts';
import {
  quadletContainer,
  quadletEnabled,
  quadletFiles,
  quadletFolders,
  quadletName,
  quadletServer,
} from './quadlet-units.ts';
import { containerRun } from './run-line.ts';
import { ignoredIn } from '../../engines/registry.ts';
import { modelContainers } from './containers.ts';
import { startedServer } from './started-server.ts';
import type { Containers } from './started-server.ts';
import { surroundings } from './unit-surroundings.ts';
import { fillSpecifiers, specifiersOf } from './specifiers.ts';
import { environmentOf, openEnvironment, variableFiles } from './unit-environment.ts';
import { unitFiles } from './unit-files.ts';
import { commandsIn, unitWords } from './unit-words.ts';
import { unitSecrets } from './unit-secrets.ts';
import type { UnitFile } from './unit-files.ts';

/** Where units lie, later ones over earlier ones. */
const systemFolders = [
  '/usr/lib/systemd/system',
  '/usr/local/lib/systemd/system',
  '/run/systemd/system',
  '/etc/systemd/system',
  '/run/systemd/transient',
];

/** Others that start a unit: a timer, a socket, what needs it. */
const starters = ['TriggeredBy', 'WantedBy', 'RequiredBy', 'BoundBy', 'UpheldBy'] as const;

const shown = ['Id,Names,ActiveState,Result,UnitFileState,NeedDaemonReload,NRestarts', ...starters].join(',');

/** Every unit that starts a model server, of the system and of this user, whether or not it runs. Only looks. */
export async function modelUnits(
  world: World,
  containers: Containers = () => modelContainers(world),
): Promise<ObservedUnit[]> {
  const [system, user] = [systemScope(world), userScope(world)];
  const running = world.env['XDG_RUNTIME_DIR'] ?? `/run/user/${world.uid}`;
  const data = world.env['XDG_DATA_HOME'] ?? `${world.env['HOME'] ?? ''}/.local/share`;
  const userFolders = [
    '/usr/lib/systemd/user',
    '/usr/local/lib/systemd/user',
    `${data}/systemd/user`,
    '/etc/systemd/user',
    user.units,
    `${running}/systemd/transient`,
  ];
  const found = await Promise.all([
    unitsOf(world, system, { folders: systemFolders, containers }),
    unitsOf(world, user, { folders: userFolders, containers }),
  ]);
  return found.flat();
}

type Read = Pick<
  ObservedUnit,
  | 'name'
  | 'path'
  | 'dropIns'
  | 'marked'
  | 'starts'
  | 'madeBy'
  | 'container'
  | 'secretVariables'
  | 'openSecrets'
  | 'ignored'
  | 'network'
  | 'conflicts'
  | 'inherits'
> & {
  /** Null: systemd says it. */
  readonly atBoot: boolean | null;
};

async function unitsOf(
  world: World,
  scope: Scope,
  { folders, containers }: { folders: readonly string[]; containers: Containers },
): Promise<ObservedUnit[]> {
  const [files, quadlets] = await Promise.all([
    unitFiles(world, scope, folders),
    quadletFiles(world, quadletFolders(world, scope)),
  ]);
  const read = await Promise.all([
    ...files.map((file) => readOne(world, scope, { file, containers })),
    ...quadlets.map((file) => readQuadlet(world, scope, { file, folders })),
  ]);
  const units = read.flat();
  if (units.length === 0) return [];
  const told = await show(
    world,
    scope,
    units.map((unit) => unit.name),
  );
  return withoutAliases(units, told).map(({ atBoot, ...unit }): ObservedUnit => {
    const facts = told.get(unit.name) ?? new Map<string, string>();
    const restarts = facts.get('NRestarts');
    return {
      ...unit,
      scope: scope.name,
      active: facts.get('ActiveState') ?? 'unknown',
      result: facts.get('Result') ?? null,
      enabled: atBoot ?? enabledOf(facts),
      needsReload: facts.get('NeedDaemonReload') === 'yes',
      restarts: restarts === undefined || restarts === '' ? null : Number(restarts),
    };
  });
}

/** A link to a unit, as `Alias=` makes one, is another name of it: systemd tells which is its own. */
function withoutAliases(
  units: readonly Read[],
  told: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Read[] {
  const own = new Map(
    [...told].flatMap(([id, facts]) =>
      (facts.get('Names') ?? '').split(' ').map((name) => [name, id] as const),
    ),
  );
  const named = units.map((unit) => ({ ...unit, name: own.get(unit.name) ?? unit.name, file: unit.name }));
  const byName = Map.groupBy(named, ({ name }) => name);
  return [...byName.values()].flatMap((same) => {
    const [first] = same.toSorted((a, b) => Number(b.file === b.name) - Number(a.file === a.name));
    if (!first) return [];
    const { file: _file, ...unit } = first;
    return [unit];
  });
}

/** What is started by others ("static", "generated", by a timer or what wants it) is neither. */
function enabledOf(facts: ReadonlyMap<string, string>): boolean | null {
  const state = facts.get('UnitFileState');
  if (state === 'enabled' || state === 'enabled-runtime') return true;
  return state === 'disabled' && !starters.some((key) => facts.get(key)) ? false : null;
}

/** Its text with all that lies over it, and what its percent signs stand for put in. */
async function textOf(
  world: World,
  scope: Scope,
  { name, path, dropIns: folders }: UnitFile,
): Promise<{ unit: UnitText; dropIns: string[] } | null> {
  const text = await world.files.read(path).catch(() => null);
  if (text === null) return null;
  const dropIns = await dropInsOf(world, folders);
  const specifiers = specifiersOf(world, scope.name, name);
  const unit = [text, ...dropIns.map((one) => one.text)].flatMap(readUnit);
  return {
    dropIns: dropIns.map((one) => one.path),
    unit: unit.map(([section, keys]) => [
      section,
      section === 'Unit'
        ? keys
        : keys.map(([key, value]) => [key, fillSpecifiers(value, specifiers)] as const),
    ]),
  };
}

async function readOne(
  world: World,
  scope: Scope,
  { file, containers }: { file: UnitFile; containers: Containers },
): Promise<Read[]> {
  const found = await textOf(world, scope, file);
  if (!found) return [];
  const files = await variableFiles(world, found.unit, 'Service');
  const env = environmentOf(found.unit, files, 'Service');
  const what = await serverOf(
    found.unit,
    { env, partialEnv: !files.every(({ isSeen }) => isSeen) },
    containers,
  );
  if (!what) return [];
  const marked = valuesOf(found.unit, 'Unit', 'X-Berth-Mark').length > 0;
  const made = what.runsContainer ? 'container-run' : null;
  const madeBy = /@\.\w+$/.test(file.path) ? 'template' : made;
  const { starts, container } = what;
  const { name, path } = file;
  const secretVariables = unitSecrets(found.unit);
  const openSecrets = await openEnvironment(world, files);
  const { dropIns } = found;
  const secrets = { secretVariables, openSecrets };
  const names = what.runsContainer ? [] : Object.keys(env);
  const ignored = ignoredIn(starts.engine, names);
  const around = surroundings(found.unit, name, starts.command);
  return [
    { name, path, dropIns, marked, starts, madeBy, container, ignored, ...secrets, ...around, atBoot: null },
  ];
}

/** A unit that podman makes of a ".container" file: that file is what a person keeps. */
async function readQuadlet(
  world: World,
  scope: Scope,
  { file, folders }: { file: UnitFile; folders: readonly string[] },
): Promise<Read[]> {
  const found = await textOf(world, scope, file);
  if (!found) return [];
  const files = await variableFiles(world, found.unit, 'Container');
  const env = environmentOf(found.unit, files, 'Container');
  const starts = quadletServer(found.unit, env, !files.every(({ isSeen }) => isSeen));
  if (!starts) return [];
  const name = quadletName(found.unit, file.name);
  const over = await dropInsOf(
    world,
    folders.toReversed().map((folder) => `${folder}/${name}.d`),
  );
  const labels = valuesOf(found.unit, 'Container', 'Label');
  const marked =
    labels.some((one) => one.includes(`${markLabel}=`)) ||
    over.some(({ text }) => valuesOf(readUnit(text), 'Unit', 'X-Berth-Mark').length > 0);
  return [
    {
      name,
      path: file.path,
      dropIns: [...found.dropIns, ...over.map((one) => one.path)],
      marked,
      starts,
      madeBy: 'quadlet',
      container: quadletContainer(found.unit, name),
      secretVariables: unitSecrets(found.unit),
      openSecrets: await openEnvironment(world, files),
      ignored: ignoredIn(starts.engine, Object.keys(env)),
      ...surroundings(found.unit, name, []),
      atBoot: quadletEnabled(found.unit),
    },
  ];
}

/** By their names, whatever folder they lie in; a name that two folders have is that of the first. */
async function dropInsOf(
  world: World,
  folders: readonly string[],
): Promise<{ path: string; text: string }[]> {
  const lists = await Promise.all(folders.map((folder) => world.files.list(folder).catch(() => [])));
  const paths = new Map<string, string>();
  for (const [index, names] of lists.entries())
    for (const name of names.filter((one) => one.endsWith('.conf')))
      if (!paths.has(name)) paths.set(name, `${folders[index]}/${name}`);
  const sorted = [...paths].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Promise.all(
    sorted.map(async ([, path]) => ({
      path,
      text: (await world.files.read(path).catch(() => null)) ?? '',
    })),
  );
}

type Started = Pick<ObservedUnit, 'starts' | 'container'> & { readonly runsContainer: boolean };

/** Those that a unit gives, and whether it may give more than can be seen. */
interface Variables {
  readonly env: Readonly<Record<string, string>>;
  readonly partialEnv: boolean;
}

/** The server among the commands of a unit, which may prepare it and follow it; of several the last. */
async function serverOf(
  unit: UnitText,
  variables: Variables,
  containers: Containers,
): Promise<Started | null> {
  const commands = inForce(valuesOf(unit, 'Service', 'ExecStart')).flatMap(commandsIn);
  for (const command of commands.toReversed()) {
    const found = await startedBy(command, variables, containers);
    if (found) return found;
  }
  return null;
}

async function startedBy(
  [first = '', ...rest]: readonly string[],
  { env, partialEnv }: Variables,
  containers: Containers,
): Promise<Started | null> {
  const [, marks = '', program = ''] = /^([-@:+!|]*)(.*)$/s.exec(first) ?? [];
  // With "@" the second word is the name that the program sees of itself.
  const words = [program, ...(marks.includes('@') ? rest.slice(1) : rest)];
  const argv = words.flatMap((word) => expand(word, env));
  const run = containerRun(argv, env) ?? (await startedServer(argv, containers));
  if (run) return { ...run, runsContainer: true };
  const starts = definedServer({ image: null, command: handedOver(argv), args: [], env, partialEnv });
  return starts && { starts, container: null, runsContainer: false };
}

/** As systemd does: "$NAME" alone becomes words, "${NAME}" stays one. What is not set is left, and shows. */
function expand(word: string, env: Readonly<Record<string, string>>): string[] {
  const whole = /^\$([A-Za-z_]\w*)$/.exec(word)?.[1];
  const value = whole === undefined ? undefined : env[whole];
  if (value !== undefined) return unitWords(value);
  return [
    word.replaceAll(/\$\{([A-Za-z_]\w*)\}/g, (text, name: string) => env[name] ?? text).replaceAll('$$', '$'),
  ];
}

async function show(
  world: World,
  scope: Scope,
  names: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  const { stdout } = await ask(world, scope, ['show', '-p', shown, ...names]);
  const blocks = stdout
    .split('\n\n')
    .map((block) => new Map(block.split('\n').flatMap((line) => [pair(line)].flatMap((one) => one ?? []))));
  return new Map(blocks.map((block) => [block.get('Id') ?? '', block]));
}

function pair(line: string): [[string, string]] | null {
  const at = line.indexOf('=');
  return at < 1 ? null : [[line.slice(0, at), line.slice(at + 1)]];
}

import { Mark } from '../../domain/instance.ts';
import type { Ending, Instance } from '../../domain/instance.ts';
import type { ProcessEntry } from '../../domain/process-facts.ts';
import { ownerOfCgroup } from '../../domain/cgroup-owner.ts';
import { readProcessTable } from '../../io/procfs.ts';
import { readListeners } from '../../io/procfs/listeners.ts';
import type { World } from '../../io/world.ts';
import { optionsOf } from './options.ts';
import { hiddenSockets, isHeldBy } from './hidden-sockets.ts';
import { unitOfObject } from './logs.ts';
import { ask, dropInPath, scopeNamed, systemScope, userScope } from './scope.ts';
import type { Scope } from './scope.ts';
import { readUnit, valuesOf } from './unit-text.ts';

/** What systemd says of one unit; a value that is not set is absent. */
export type Shown = ReadonlyMap<string, string>;

const properties = [
  'Id,LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,MainPID,NRestarts,MemoryCurrent',
  'CPUUsageNSec,FragmentPath,DropInPaths,NeedDaemonReload,Job',
].join(',');

/** All units of one manager that carry a mark of berth, by the marks on disk: also those that do not run. */
export async function markedUnits(world: World, scope: Scope): Promise<{ unit: string; mark: Mark }[]> {
  const names = (await world.files.list(scope.units)).filter((name) => name.endsWith('.service.d'));
  const found = await Promise.all(
    names.map(async (name) => {
      const unit = name.slice(0, -'.service.d'.length);
      const mark = await markOnDisk(world, scope, unit);
      return mark ? [{ unit, mark }] : [];
    }),
  );
  return found.flat();
}

/** Null where there is none, or one of another version of berth, which is left alone. */
export async function markOnDisk(world: World, scope: Scope, unit: string): Promise<Mark | null> {
  const text = await world.files.read(dropInPath(scope, unit)).catch(() => null);
  if (text === null) return null;
  try {
    const [json = ''] = valuesOf(readUnit(text), 'Unit', 'X-Berth-Mark');
    return Mark.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}

export async function observe(world: World): Promise<Instance[]> {
  const scopes = [systemScope(world), userScope(world)];
  return (await Promise.all(scopes.map((scope) => observeScope(world, scope)))).flat();
}

async function observeScope(world: World, scope: Scope): Promise<Instance[]> {
  const units = await markedUnits(world, scope);
  if (units.length === 0) return [];
  const shown = await show(
    world,
    scope,
    units.map(({ unit }) => unit),
  );
  const ending = await beingStopped(world, scope, shown);
  const proc = await world.procfs();
  const table = readProcessTable(proc);
  const listeners = readListeners(proc, table);
  const membersOf = new Map(
    units.map(({ unit }) => [
      unit,
      [...table.processes.values()].filter((entry) => belongs(entry, scope, unit)),
    ]),
  );
  const hidden = await hiddenSockets(world, scope, [...membersOf.values()].flat(), listeners);
  return units.map(({ unit, mark }): Instance => {
    const facts = shown.get(unit) ?? new Map<string, string>();
    const members = membersOf.get(unit) ?? [];
    const container = optionsOf(mark).container;
    const main = engineOf(table.processes.get(Number(facts.get('MainPID') ?? 0)), members, container);
    // What is being stopped is there for as long as its grace, and nobody will start it again.
    const alive = runs(facts) && !ending.has(unit);
    return {
      host: 'local',
      object: { target: 'systemd', id: `${scope.name}/${unit}`, name: `unit ${unit}.service` },
      alive,
      trouble: alive ? null : troubleOf(facts),
      process: main ? { bootId: table.bootId, pid: main.pid, startTicks: main.startTicks } : null,
      engine: mark.spec.engine,
      model: mark.spec.model,
      owner: { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user: null },
      endpoints:
        container?.network === 'bridge'
          ? // Its port is published for as long as it runs, whoever listens for it.
            alive
            ? [{ address: mark.address, port: mark.port, netns: 'published' }]
            : []
          : [...listeners, ...hidden]
              .filter((listener) => isHeldBy(listener, members))
              .map(({ address, port, netns }) => ({ address, port, netns })),
      rssBytes: sum(members.flatMap((entry) => entry.rssBytes ?? [])),
      startedAt: main ? new Date(main.startedAt).toISOString() : null,
      mark,
    };
  });
}

/** What a unit of a container starts watches over the engine, and is its parent. */
function engineOf(
  main: ProcessEntry | undefined,
  members: readonly ProcessEntry[],
  container: object | undefined,
): ProcessEntry | undefined {
  return container === undefined ? main : members.find(({ ppid }) => ppid === main?.pid);
}

function belongs(entry: ProcessEntry, scope: Scope, unit: string): boolean {
  const owner = ownerOfCgroup(entry.cgroup);
  return owner.kind === `${scope.name}-unit` && owner.name === `${unit}.service`;
}

function sum(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((total, one) => total + one, 0);
}

/** Asks for several units at once, by name without ".service". */
export async function show(
  world: World,
  scope: Scope,
  units: readonly string[],
): Promise<Map<string, Shown>> {
  const args = ['show', '-p', properties, ...units.map((unit) => `${unit}.service`)];
  const { stdout } = await ask(world, scope, args);
  const blocks = stdout.split('\n\n').map(readShown);
  return new Map(blocks.map((block) => [(block.get('Id') ?? '').replace(/\.service$/, ''), block]));
}

function readShown(text: string): Shown {
  const rows = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    const value = line.slice(at + 1);
    return at < 1 || value === '[not set]' || value === '[no data]'
      ? []
      : [[line.slice(0, at), value] as const];
  });
  return new Map(rows);
}

/** What waits to be started again is systemd's to start; so is one whose start is still in its queue. */
export function runs(shown: Shown): boolean {
  if (Number(shown.get('Job') ?? 0) > 0) return true;
  return ['active', 'activating', 'reloading', 'deactivating'].includes(shown.get('ActiveState') ?? '');
}

/** Units that somebody has told to stop and that have not yet; one that crashed, or that is to start again, is not among them. */
export async function beingStopped(
  world: World,
  scope: Scope,
  shown: ReadonlyMap<string, Shown>,
): Promise<Set<string>> {
  const maybe = [...shown].filter(
    ([, one]) => one.get('ActiveState') === 'deactivating' && Number(one.get('Job') ?? 0) > 0,
  );
  if (maybe.length === 0) return new Set();
  const { stdout } = await ask(world, scope, ['list-jobs', '--plain', '--no-legend', '--no-pager']);
  const stops = stdout.split('\n').flatMap((line) => {
    const [, unit = '', type] = line.trim().split(/\s+/);
    return type === 'stop' ? [unit.replace(/\.service$/, '')] : [];
  });
  return new Set(maybe.flatMap(([unit]) => (stops.includes(unit) ? [unit] : [])));
}

/** What waits for the unit is started only once its own look at the engine's health is over. */
export async function remains(world: World, instance: Instance): Promise<string> {
  const { scope, unit } = unitOfObject(instance);
  const shown = (await show(world, scopeNamed(world, scope), [unit])).get(unit);
  const starts = Number(shown?.get('Job') ?? 0) > 0 || shown?.get('ActiveState') === 'activating';
  return starts ? 'answers, while systemd still has the unit as starting' : '';
}

function troubleOf(shown: Shown): string {
  const state = shown.get('ActiveState') ?? 'unknown';
  const result = shown.get('Result') ?? 'success';
  return result === 'success' ? `is ${state}` : `is ${state} (${result})`;
}

/** How the main process ended last; null while there is nothing to tell. ExecMainCode: 1 exited, 2 killed, 3 dumped. */
export function endingOf(shown: Shown, said: readonly string[], sign: string): Ending | null {
  const again = Number(shown.get('NRestarts') ?? 0) > 0 || shown.get('SubState') === 'auto-restart';
  if (runs(shown) && !again) return null;
  const status = Number(shown.get('ExecMainStatus') ?? 0);
  const killed = Number(shown.get('ExecMainCode') ?? 0) >= 2;
  const outOfMemory = shown.get('Result') === 'oom-kill' || said.some((line) => line.startsWith(sign));
  return {
    code: killed ? null : status,
    signal: killed ? (signals[status] ?? `signal ${status}`) : null,
    ...(outOfMemory ? { outOfMemory } : {}),
  };
}

const signals: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

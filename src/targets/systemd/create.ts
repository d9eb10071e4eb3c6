import { dirname, join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { givenPrefix } from '../../domain/given-files.ts';
import { isSamePlace } from '../../domain/fleet-part.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { isGiven } from '../../domain/secret.ts';
import { engineFileText } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import type { Started, StartRequest } from '../contract.ts';
import { keepDefinition } from './adopt.ts';
import { containerFile, definitionOf, definitionPath, inContainer } from './definition.ts';
import { lastLines, unitOfObject } from './logs.ts';
import { beingStopped, endingOf, markOnDisk, observe, runs, show } from './observe.ts';
import { optionsOf, unitWish } from './options.ts';
import type { SystemdOptions } from './options.ts';
import { definitionFiles, isAdopted } from './own-files.ts';
import { ensureImage, expectNameFree, generatorOf, giveSecrets, podman, readerOfSecrets } from './podman.ts';
import { workVolumes } from './quadlet.ts';
import { readRecordFile, recordFolders } from './record.ts';
import { dropInOf, foldersOf, unitNameOf } from './render.ts';
import { ask, cacheFolders, dropInPath, faultOf, scopeNamed, scopeOf, tell, unitPath } from './scope.ts';
import type { Scope } from './scope.ts';
import { killedForMemory } from './scripts.ts';
import { readAsRoot, removeFiles, writeFiles } from './write-files.ts';

const allLines = 2_000;
const pollMs = 100;
/** So long after SIGKILL nothing more is to be hoped for. */
const giveUpAfterMs = 60_000;
/** That of systemd itself. */
const usualGraceMs = 90_000;

/** Writes the unit with its environment and secrets, has systemd read it once, and starts it. */
export async function create(world: World, request: StartRequest, options: SystemdOptions): Promise<Started> {
  const { mark, onProgress = () => {} } = request;
  const { deployment, spec } = mark;
  const scope = scopeOf(world);
  let reader: string | null = null;
  if (inContainer(options)) {
    await generatorOf(world, scope, deployment);
    await ensureImage(world, scope, { mark, container: options.container, onProgress });
    reader = await readerOfSecrets(world, scope, { mark, container: options.container });
  }
  const unit = await freeUnit(world, scope, { request, options });
  if (inContainer(options)) await expectNameFree(world, scope, { unit, deployment });
  const definition = await definitionOf(world, mark, { options, unit, scope });
  const config = join(scope.config, unit);
  const secrets = await Promise.all(
    Object.entries(spec.secrets).map(async ([key, ref]) => {
      const path = join(config, key);
      const text = await engineFileText(world, request, {
        name: key,
        there: async () =>
          (await readAsRoot(world, scope, path)) ??
          (isGiven(ref) ? readRecordFile(world, mark, ref.sha256) : null),
      });
      return { path, text, mode: isGiven(ref) ? ('644' as const) : ('600' as const) };
    }),
  );
  const { path, text, dropIn, environment } = definition;
  const before = await markOnDisk(world, scope, unit);
  const { own } = await definitionFiles(world, scope, { unit, mark: before });
  const old = own.filter((one) => one !== path);
  // By this the file of an adopted unit is known until it is away, also after a change that was cut off.
  const isLeft = old.includes(unitPath(scope, unit)) && (await isAdopted(world, scope, unit));
  await keepDefinition(world, scope, unit);
  // The mark comes first: whatever is left half made can be known for ours.
  await writeFiles(world, scope, [
    {
      path: dropInPath(scope, unit),
      text: isLeft ? dropInOf(mark, text, { adopted: true }) : dropIn,
      mode: '644',
    },
    ...(environment === null
      ? []
      : [{ path: join(config, 'environment'), text: environment, mode: '600' as const }]),
    ...secrets,
  ]);
  const paths = secrets.flatMap((one) => (one.mode === '600' ? [one.path] : []));
  if (reader !== null) await giveSecrets(world, scope, { deployment, user: reader, paths });
  // Last, since the next boot would start it.
  await writeFiles(world, scope, [{ path, text, mode: '644' }]);
  await dropOtherKind(world, scope, { unit, before, old });
  if (isLeft) await writeFiles(world, scope, [{ path: dropInPath(scope, unit), text: dropIn, mode: '644' }]);
  const file = `${unit}.service`;
  if (!inContainer(options))
    await tell(world, scope, { args: ['enable', '--no-reload', '--quiet', file], unit, what: 'enabled' });
  if (inContainer(options) || !(await isRead(world, scope, unit))) await reload(world, scope, unit);
  await ask(world, scope, ['reset-failed', file]);
  const since = world.clock.wall().getTime();
  await tell(world, scope, { args: ['start', '--no-block', file], unit, what: 'started' });
  return started(world, scope, { unit, since });
}

/** Takes away what defined the unit while it was a container's and is not any more, or the other way round, and what went with that. */
async function dropOtherKind(
  world: World,
  scope: Scope,
  { unit, before, old }: { unit: string; before: Mark | null; old: readonly string[] },
): Promise<void> {
  if (old.includes(unitPath(scope, unit))) {
    await tell(world, scope, { args: disableArgs(unit), unit, what: 'disabled' });
    // What a container is told lies in its own file.
    await removeFiles(world, scope, [...old, join(scope.config, unit, 'environment')]);
  } else await removeFiles(world, scope, old);
  // The mark is the new one's already where a change before was cut off.
  if (!before || !old.includes(containerFile(scope, unit))) return;
  const volumes = workVolumes(before);
  // Podman refuses for those that another container of the same place has.
  if (volumes.length > 0) await podman(world, scope, ['volume', 'rm', ...volumes]);
}

function disableArgs(unit: string): string[] {
  return ['disable', '--no-reload', '--quiet', `${unit}.service`];
}

/** One that systemd did not know it reads by itself, and others need not be read anew for it. */
async function isRead(world: World, scope: Scope, unit: string): Promise<boolean> {
  const shown = (await show(world, scope, [unit])).get(unit);
  return (
    shown?.get('LoadState') === 'loaded' &&
    shown.get('NeedDaemonReload') === 'no' &&
    shown.get('FragmentPath') === unitPath(scope, unit) &&
    (shown.get('DropInPaths') ?? '').split(' ').includes(dropInPath(scope, unit))
  );
}

function reload(world: World, scope: Scope, unit: string): Promise<void> {
  return tell(world, scope, { args: ['daemon-reload'], unit, what: 'read' });
}

/** Has systemd forget what is gone, and know what is to start with the machine. */
export function settle(world: World): Promise<void> {
  return reload(world, scopeOf(world), 'berth');
}

async function started(
  world: World,
  scope: Scope,
  { unit, since }: { unit: string; since: number },
): Promise<Started> {
  const instance = (await observe(world)).find((one) => one.object.id === `${scope.name}/${unit}`);
  if (!instance)
    throw new BerthError('SYSTEMD_FAILED', { unit, what: 'found again', reason: 'its mark is gone' });
  return {
    instance,
    lines: (count) => lastLines(world, scope, { unit, count, since }),
    ending: async () => {
      const shown = (await show(world, scope, [unit])).get(unit) ?? new Map<string, string>();
      if (endingOf(shown, [], killedForMemory) === null) return null;
      const said = await lastLines(world, scope, { unit, count: allLines, since });
      return endingOf(shown, said, killedForMemory);
    },
  };
}

/** The same definition once more. */
export async function restart(world: World, instance: Instance): Promise<Started> {
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  const file = `${unit}.service`;
  await stop(world, scope, { unit, graceMs: instance.mark?.spec.stop.graceMs ?? usualGraceMs });
  // It was wanted, and is no sign of an engine that ends again and again.
  await ask(world, scope, ['reset-failed', file]);
  const since = world.clock.wall().getTime();
  await tell(world, scope, { args: ['start', '--no-block', file], unit, what: 'started' });
  return started(world, scope, { unit, since });
}

/**
 * The name for a unit of this place: the one of the file, else "berth-FLEET-DEPLOYMENT"; beside one that still runs
 * another with "-b". One of the same place that does not run is taken over. Throws UNIT_FOREIGN.
 */
async function freeUnit(
  world: World,
  scope: Scope,
  { request, options }: { request: StartRequest; options: SystemdOptions },
): Promise<string> {
  const { mark } = request;
  const { name } = unitWish(options);
  const usual = unitNameOf(mark, options);
  const own = `${usual}-${mark.fleetId}`;
  const names = name === null ? [usual, `${usual}-b`, own, `${own}-b`] : [usual];
  for (const unit of names) {
    const shown = (await show(world, scope, [unit])).get(unit);
    if (shown === undefined)
      throw faultOf(scope, await ask(world, scope, ['show', '-p', 'Version']), { unit, what: 'looked up' });
    const there = await markOnDisk(world, scope, unit);
    const isOurs = there !== null && isSamePlace(there, mark);
    const { foreign } = await definitionFiles(world, scope, { unit, mark: isOurs ? there : null });
    const isHeld = foreign.length > 0;
    if (isOurs && !isHeld && (!runs(shown) || (await hasStopped(world, scope, unit)))) return unit;
    const isFree = shown.get('LoadState') === 'not-found' || (await isGone(world, shown));
    if (!there && !isHeld && isFree) return unit;
    if (name !== null)
      throw new BerthError('UNIT_FOREIGN', {
        unit,
        path: (isHeld ? foreign[0] : shown.get('FragmentPath')) || 'a unit without a file',
      });
  }
  throw new BerthError('UNIT_FOREIGN', { unit: usual, path: `${scope.units}/${usual}.service` });
}

/** Waits for one that is being stopped, as by a berth that was killed over it; false for any other. */
async function hasStopped(world: World, scope: Scope, unit: string): Promise<boolean> {
  for (;;) {
    const shown = await show(world, scope, [unit]);
    if (!runs(shown.get(unit) ?? new Map<string, string>())) return true;
    if (!(await beingStopped(world, scope, shown)).has(unit)) return false;
    await world.clock.sleep(pollMs);
  }
}

/** Its file was removed, and systemd has not been told since. */
async function isGone(world: World, shown: ReadonlyMap<string, string>): Promise<boolean> {
  const path = shown.get('FragmentPath');
  return path !== undefined && path !== '' && !runs(shown) && (await world.files.stat(path)) === null;
}

/** Stops and disables the unit and takes away what berth wrote of it; drop-ins of others stay. */
export async function remove(
  world: World,
  instance: Instance,
  how: { signal: string; graceMs: number; settles?: boolean; ends?: boolean },
): Promise<void> {
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  const there = await markOnDisk(world, scope, unit);
  if (!there || !instance.mark || !isSamePlace(there, instance.mark)) return;
  const file = `${unit}.service`;
  // Of one that was never whole there may be the mark alone, and systemd knows no such unit.
  const isUnit = (await show(world, scope, [unit])).get(unit)?.get('LoadState') !== 'not-found';
  if (isUnit) await stop(world, scope, { unit, graceMs: how.graceMs });
  const others = (await observe(world)).filter(
    (one) => one.object.id !== instance.object.id && one.mark && isSamePlace(one.mark, there),
  );
  const container = inContainer(optionsOf(there));
  const { own } = await definitionFiles(world, scope, { unit, mark: there });
  if (isUnit) {
    // One that was stopped while it started has failed, and systemd cleans only what is inactive.
    await ask(world, scope, ['reset-failed', file]);
    // A cache outlives the unit while another unit of the same place goes on with it.
    if (!container && others.length === 0 && foldersOf(there, scope.name).length > 0)
      await tell(world, scope, { args: ['clean', '--what=cache', file], unit, what: 'cleaned' });
    // What podman has made is not enabled, and refuses to be disabled.
    if (!container || own.includes(unitPath(scope, unit)))
      await tell(world, scope, { args: disableArgs(unit), unit, what: 'disabled' });
    await keepDefinition(world, scope, unit);
  }
  const volumes = container && others.length === 0 ? workVolumes(there) : [];
  if (volumes.length > 0) await podman(world, scope, ['volume', 'rm', ...volumes]);
  const config = join(scope.config, unit);
  const kept = Object.keys(there.spec.secrets).map((key) => join(config, key));
  await removeFiles(world, scope, [
    definitionPath(scope, unit, optionsOf(there)),
    ...own,
    ...kept,
    join(config, `${givenPrefix}*`),
    join(config, 'environment'),
    config,
    scope.config,
    ...(others.length === 0 && how.ends ? recordFolders(scope, there) : []),
    ...(others.length === 0 ? cacheFolders(scope, there) : []),
    dirname(scope.config),
    // The mark goes last, so that a removal that is cut off goes on the next time.
    dropInPath(scope, unit),
    dirname(dropInPath(scope, unit)),
  ]);
  if (how.settles && scope.name === scopeOf(world).name) return;
  await tell(world, scope, { args: ['daemon-reload'], unit, what: 'forgotten' });
  await ask(world, scope, ['reset-failed', file]);
}

async function stop(
  world: World,
  scope: Scope,
  { unit, graceMs }: { unit: string; graceMs: number },
): Promise<void> {
  const file = `${unit}.service`;
  await tell(world, scope, { args: ['stop', '--no-block', file], unit, what: 'stopped' });
  const until = world.clock.now() + graceMs + 10_000;
  for (let killed = false; ;) {
    const shown = (await show(world, scope, [unit])).get(unit);
    if (!shown || !runs(shown)) return;
    if (world.clock.now() > until + giveUpAfterMs)
      throw new BerthError('NOT_ENDING', {
        object: `unit ${unit}`,
        holds: 'SIGKILL does not end its processes, as one that waits for a disk or a driver',
      });
    if (!killed && world.clock.now() > until) {
      await tell(world, scope, { args: ['kill', '--signal=SIGKILL', file], unit, what: 'killed' });
      killed = true;
    }
    await world.clock.sleep(pollMs);
  }
}

import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { desiredReplicas } from '../plan/desired.ts';
import { expectPrograms } from '../plan/missing-programs.ts';
import type { DesiredReplica } from '../plan/desired.ts';
import { takeHostLocks } from '../apply/host-locks.ts';
import type { LockTaker } from '../apply/host-locks.ts';
import { accessOf, worldOfHost } from '../file/hosts.ts';
import { openJournal } from '../apply/journal.ts';
import { noteAdopted } from '../apply/note-applied.ts';
import { keepApplied } from '../file/applied-files.ts';
import { engineLog, fleetPaths } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { Entry } from './entries.ts';

/** What was marked, and where the definition lies that it had. */
export interface Adopted {
  readonly name: string;
  readonly object: string;
  /** Null in a cluster. */
  readonly pid: number | null;
  readonly saved: string | null;
}

type Marked = Entry & { readonly mark: NonNullable<Entry['mark']> };

/**
 * Marks the servers of these entries, which the loaded file names already. Nothing is restarted. When one cannot be marked, the marks
 * that were set are taken away again, and the fault is thrown.
 */
export async function adopt(
  world: World,
  loaded: LoadedFleet,
  { entries, onProgress, signal }: Pick<LockTaker, 'onProgress' | 'signal'> & { entries: readonly Entry[] },
): Promise<Adopted[]> {
  const marked = entries.filter((entry): entry is Marked => entry.mark !== null);
  const names = marked.map((entry) => entry.name);
  const own = loaded.deployments.filter((one) => names.includes(one.name));
  using _locks = await takeHostLocks(
    world,
    own.map((one) => accessOf(loaded.hosts[one.host])),
    { who: `berth adopt of fleet ${loaded.fleet}`, onProgress, signal },
  );
  await keepApplied(world, loaded, loaded.files);
  await noteAdopted(world, loaded, names);
  const desired = await desiredReplicas(world, { ...loaded, deployments: own });
  expectPrograms(desired);
  const journal = openJournal(world, loaded, { command: 'adopt', plan: null });
  const done: { entry: Marked; wanted: DesiredReplica }[] = [];
  const adopted: Adopted[] = [];
  try {
    for (const entry of marked) {
      const wanted = desired.find((one) => one.deployment.name === entry.name);
      if (!wanted) throw new BerthError('ADOPT_NOT_STARTED', { deployment: entry.name });
      const object = objectName(entry);
      const place = { host: wanted.deployment.host, deployment: entry.name, replica: 0 };
      const target = wanted.deployment.target.kind;
      const effect = { do: 'adopt' as const, ...place, object, target, reasons: ['it runs already'] };
      const saved = await journal.record(effect, () => markOne(world, loaded, { entry, wanted }));
      done.push({ entry, wanted });
      adopted.push({ name: entry.name, object, pid: entry.pid, saved });
    }
  } catch (error) {
    for (const { entry, wanted } of done)
      await unmark(world, loaded, { entry, host: wanted.deployment.host });
    throw error;
  }
  return adopted;
}

function objectName({ from, mark: { foreign } }: Marked): string {
  if (foreign.container) return `container ${foreign.container.name}`;
  return foreign.unit ? `unit ${foreign.unit.name}.service` : from;
}

/** Gives the path under which the definition that it had is kept. */
async function markOne(
  home: World,
  loaded: LoadedFleet,
  { entry, wanted }: { entry: Marked; wanted: DesiredReplica },
): Promise<string | null> {
  const { deployment, spec } = wanted;
  const world = await worldOfHost(home, loaded.hosts, deployment.host);
  const { target, foreign, address } = entry.mark;
  const mark: Mark = {
    fleet: loaded.fleet,
    fleetId: loaded.fleetId,
    deployment: entry.name,
    replica: 0,
    target: { ...deployment.target },
    address,
    port: deployment.port ?? 0,
    logFile: engineLog(fleetPaths(world, loaded), entry.name, 0),
    declared: { ...deployment.declared },
    spec,
  };
  const text = (await targetOf(target).adopt?.(world, foreign, mark)) ?? null;
  if (text === null) return null;
  const path = join(
    fleetPaths(home, loaded).state,
    'adopted',
    `${entry.name}.${foreign.unit ? 'service' : 'json'}`,
  );
  await home.files.write(path, text, 0o600);
  return path;
}

async function unmark(
  home: World,
  loaded: LoadedFleet,
  { entry, host }: { entry: Marked; host: string },
): Promise<void> {
  const { target } = entry.mark;
  const world = await worldOfHost(home, loaded.hosts, host);
  const instance = (await targetOf(target).observe(world)).find(
    ({ mark }) => mark?.deployment === entry.name && mark.fleetId === loaded.fleetId,
  );
  if (instance) await targetOf(target).disown?.(world, instance);
}

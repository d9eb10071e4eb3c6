import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { confined } from './confine.ts';
import { expectNamed } from './expect-named.ts';
import { emptyEngines, endEngines, refillEngines } from './end-engines.ts';
import { takeHostLocks } from './host-locks.ts';
import { accessOf } from '../file/hosts.ts';
import { openJournal } from './journal.ts';
import { instancesOf, muteOf, observeFleet } from '../observe/observe.ts';
import { expectNoneProtected } from '../plan/protect.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { Traffic } from './traffic.ts';

export interface DrainOptions {
  readonly host: string;
  readonly only?: readonly string[];
  readonly traffic: Traffic;
  /** How long requests under way may take before they are cut off. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface DrainedHost {
  readonly stopped: readonly Instance[];
  /** Deployments that no engine serves any longer. */
  readonly unserved: readonly string[];
  /** Those among the stopped that their next request starts again. */
  readonly onDemand: readonly string[];
}

/**
 * Empties a host: its engines get no new requests, end those that they have, and are stopped. Nothing is started elsewhere. Others may
 * change engines there while it waits; the lock is taken to stop them. An interrupt lets requests in again to those that still run.
 * Throws HOST_UNKNOWN, or why the host cannot be looked at.
 */
export async function drainHost(
  world: World,
  loaded: LoadedFleet,
  options: DrainOptions,
): Promise<DrainedHost> {
  const { host, onProgress } = options;
  const before = await lookAt(world, loaded, options);
  for (const name of before.unserved)
    onProgress(`${name} has no engine elsewhere: requests for it wait or are refused from now on`);
  const waiting = { ...options, instances: before.leaving, hosts: loaded.hosts };
  await emptyEngines(world, waiting);
  using _locks = await lockEmptied(world, loaded, { options, waiting });
  // What was started in between leaves too.
  const { leaving, unserved, names } = await lookAt(world, loaded, options).catch(async (error: unknown) => {
    await refillEngines(waiting);
    throw error;
  });
  await endEngines(world, {
    ...waiting,
    instances: leaving,
    waited: before.leaving,
    journal: openJournal(world, loaded, { command: 'drain', plan: null }),
    reason: `host ${host} is drained`,
  });
  const onDemand = loaded.deployments.filter((one) => one.onDemand && names.has(one.name));
  return { stopped: leaving, unserved, onDemand: onDemand.map((one) => one.name) };
}

/** Who gets no lock, or is interrupted, lets requests in again. */
async function lockEmptied(
  world: World,
  { fleet, hosts }: LoadedFleet,
  { options, waiting }: { options: DrainOptions; waiting: Parameters<typeof refillEngines>[0] },
): Promise<Disposable> {
  const { host, signal, onProgress } = options;
  const taker = { who: `berth drain ${host} of fleet ${fleet}`, onProgress, signal };
  try {
    const locks = await takeHostLocks(world, [accessOf(hosts[host])], taker);
    if (signal.aborted) locks[Symbol.dispose]();
    signal.throwIfAborted();
    return locks;
  } catch (error) {
    await refillEngines(waiting);
    if (!signal.aborted || error instanceof BerthError) throw error;
    throw new BerthError('APPLY_INTERRUPTED', { left: waiting.instances.length }, { cause: error });
  }
}

interface Leaving {
  readonly leaving: readonly Instance[];
  /** Their deployments. */
  readonly names: ReadonlySet<string>;
  readonly unserved: readonly string[];
}

async function lookAt(
  world: World,
  loaded: LoadedFleet,
  { host, only }: Pick<DrainOptions, 'host' | 'only'>,
): Promise<Leaving> {
  const stated = loaded.hosts[host];
  if (!stated) throw new BerthError('HOST_UNKNOWN', { name: host, known: Object.keys(loaded.hosts) });
  const observed = await observeFleet(world, loaded.hosts);
  const silent = observed.silent.get(host);
  if (silent) throw silent;
  const [mute] = muteOf(
    observed,
    loaded.deployments.filter((one) => one.host === host && (only?.includes(one.name) ?? true)),
  );
  if (mute) throw mute.fault;
  const own = instancesOf(observed, loaded);
  expectNamed(only ?? [], loaded, own);
  const there = own.filter((one) => one.host === machineOf(stated));
  const leaving = confined(there, only);
  if (!only) expectNoneProtected({ loaded, named: [], instances: leaving });
  const names = new Set(leaving.flatMap(({ mark }) => mark?.deployment ?? []));
  const staying = own.filter((one) => one.alive && !leaving.includes(one));
  const unserved = [...names].filter((name) => !staying.some(({ mark }) => mark?.deployment === name));
  return { leaving, names, unserved };
}

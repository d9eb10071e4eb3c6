import type { Instance } from '../../domain/instance.ts';
import type { FleetPart } from '../../domain/fleet-part.ts';
import type { Left } from '../../domain/left.ts';
import type { World } from '../../io/world.ts';
import type { BerthError } from '../../domain/errors/berth-error.ts';
import { confined } from './confine.ts';
import { expectNamed } from './expect-named.ts';
import { endEngines } from './end-engines.ts';
import { takeHostLocks } from './host-locks.ts';
import { forgetAppliedSecrets } from '../file/applied-secrets.ts';
import { accessOf, hostNameOf, worldOfHost, worldOn } from '../file/hosts.ts';
import { openJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import { fleetInstances, instancesOf, muteOf, observeFleet } from '../observe/observe.ts';
import { fleetPaths } from '../file/paths.ts';
import { foldersSeen } from '../plan/kept-places.ts';
import { orTold } from './or-told.ts';
import { dropRecords, forgetPart } from '../plan/ran-states.ts';
import { tidy } from './tidy.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { targetOf } from '../../targets/registry.ts';
import { expectNoneProtected } from '../plan/protect.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { Traffic } from './traffic.ts';
import { isProcess, readUpState } from '../up/up-state.ts';

const upGraceMs = 60_000;
const pollMs = 100;

export interface DownOptions {
  readonly onProgress: (line: string) => void;
  /** Deployments that alone are ended, while gateway and console stay; absent: all of the fleet. */
  readonly only?: readonly string[];
  readonly signal: AbortSignal;
  /** Takes requests away from engines that end while the gateway stays. */
  readonly traffic: Traffic;
}

export interface Down {
  /** The control process that was ended; null where none ran, or it stays. */
  readonly up: number | null;
  readonly stopped: Instance[];
  /** Hosts that are clusters and had the gateway. */
  readonly gateways: readonly string[];
  readonly silent: ReadonlyMap<string, BerthError>;
  /** What stays on purpose, such as the claim of a cache, each once. */
  readonly left: readonly (Left & { readonly host: string })[];
  /** Targets that could not be asked, on hosts that answered: what they run goes on. */
  readonly mute: readonly { readonly host: string; readonly target: string; readonly fault: BerthError }[];
}

/**
 * Ends the fleet: the control process first, so that it restarts nothing, then every engine with this fleet's mark. With `only` just
 * the engines of those deployments.
 */
export async function down(world: World, loaded: LoadedFleet, options: DownOptions): Promise<Down> {
  const { onProgress, only, traffic, signal } = options;
  if (!only) expectNoneProtected({ loaded, named: [], instances: await fleetInstances(world, loaded) });
  const journal = openJournal(world, loaded, { command: 'down', plan: null });
  const upPid = only ? null : await endUp(world, loaded, { journal, onProgress });
  const before = await observeFleet(world, loaded.hosts);
  expectNamed(only ?? [], loaded, instancesOf(before, loaded));
  const { silent } = before;
  const answering = Object.entries(loaded.hosts).filter(([name]) => !silent.has(name));
  const hosts = Object.fromEntries(answering);
  using _locks = await takeHostLocks(
    world,
    answering.map(([, host]) => accessOf(host)),
    {
      who: `berth down of fleet ${loaded.fleet}`,
      onProgress,
      signal,
    },
  );
  const sight = await observeFleet(world, hosts);
  const mute = muteOf(sight, confinedTo(loaded, only));
  const running = confined(instancesOf(sight, loaded), only);
  await endEngines(world, {
    instances: running,
    hosts: loaded.hosts,
    traffic,
    journal,
    reason: only ? 'named with --only' : 'the fleet is ended',
    patienceMs: 0,
    signal,
    onProgress,
  });
  await tidy(world, loaded);
  for (const [, host] of answering) await forgetRecords(await worldOn(world, accessOf(host)), loaded, only);
  await forgetKept(world, loaded, {
    only,
    onProgress,
    goesOn: (host) => silent.has(host) || mute.some((one) => one.host === host),
  });
  const left = await leftBy(world, loaded, running);
  if (silent.size === 0 && mute.length === 0) await forgetAppliedSecrets(world, loaded, only);
  if (only) return { up: upPid, stopped: running, gateways: [], silent, mute, left };
  const gateways = await endGateways(world, loaded, { hosts, journal, onProgress });
  // What goes on needs its secrets.
  const emptied = answering.filter(([name]) => !mute.some(({ host }) => host === name));
  for (const [, host] of emptied) await forgetSecrets(await worldOn(world, accessOf(host)), loaded);
  // The next start writes the keys of engines again, and makes a new token for the console.
  const paths = fleetPaths(world, loaded);
  await world.files.remove(paths.secrets);
  await world.files.remove(paths.gatewayConfig);
  await world.files.remove(paths.controlToken);
  // What goes on may yet have to be stopped by it.
  if (silent.size === 0 && mute.length === 0) await world.files.remove(paths.applied);
  return { up: upPid, stopped: running, gateways, silent, mute, left };
}

async function leftBy(
  world: World,
  loaded: LoadedFleet,
  stopped: readonly Instance[],
): Promise<(Left & { host: string })[]> {
  const found = await Promise.all(
    stopped.map(async (instance) => {
      const { object, mark } = instance;
      const host = hostNameOf(loaded.hosts, instance);
      const there = await worldOfHost(world, loaded.hosts, host);
      const left = mark && (await targetOf(object.target).leaves?.(there, mark));
      return (left ?? []).map((one) => ({ ...one, host }));
    }),
  );
  return [...new Map(found.flat().map((one) => [`${one.host} ${one.object}`, one])).values()];
}

function confinedTo(
  { deployments }: LoadedFleet,
  only: readonly string[] | undefined,
): LoadedFleet['deployments'] {
  return deployments.filter(({ name }) => only?.includes(name) ?? true);
}

async function endGateways(
  world: World,
  fleet: FleetIdentity,
  {
    hosts,
    journal,
    onProgress,
  }: { hosts: LoadedFleet['hosts']; journal: Journal; onProgress: (line: string) => void },
): Promise<string[]> {
  if (!Object.values(hosts).some((host) => host.kubernetes)) return [];
  const { endAllGateways } = await import('../cluster-gateway/end-all.ts');
  return endAllGateways(world, fleet, { hosts, journal, onProgress });
}

/** What ran before, also of places where nothing was left to end; what could not be asked goes on and keeps it. */
async function forgetRecords(
  host: World,
  fleet: FleetIdentity,
  only: readonly string[] | undefined,
): Promise<void> {
  for (const part of partsOf(fleet, only)) await dropRecords(host, part);
}

/** The same of what the fleet's own folders have. What may go on by one host keeps those of all that have the same. */
async function forgetKept(
  world: World,
  loaded: LoadedFleet,
  {
    only,
    goesOn,
    onProgress,
  }: Pick<DownOptions, 'onProgress'> & {
    readonly only: DownOptions['only'] | undefined;
    readonly goesOn: (host: string) => boolean;
  },
): Promise<void> {
  for (const name of foldersSeen(world, loaded.hosts, goesOn))
    await orTold(onProgress, name, async () => {
      const there = await worldOfHost(world, loaded.hosts, name);
      for (const part of partsOf(loaded, only)) await forgetPart(there, part);
    });
}

function partsOf({ fleet, fleetId }: FleetIdentity, only: readonly string[] | undefined): FleetPart[] {
  return only?.map((deployment) => ({ fleet, fleetId, deployment })) ?? [{ fleet, fleetId }];
}

/** Secrets of engines that have ended. */
async function forgetSecrets(host: World, fleet: FleetIdentity): Promise<void> {
  const folder = fleetPaths(host, fleet).engineSecrets;
  if ((await host.files.stat(folder)) !== null) await host.files.remove(folder);
}

async function endUp(
  world: World,
  fleet: FleetIdentity,
  { journal, onProgress }: { journal: Journal; onProgress: (line: string) => void },
): Promise<number | null> {
  const state = await readUpState(world, fleet);
  if (!state) return null;
  const { pid } = state.process;
  onProgress(`Ending berth up (process ${pid})`);
  const object = `berth up (process ${pid})`;
  const nobody = { host: null, deployment: null, replica: null } as const;
  await journal.record({ do: 'end', ...nobody, object, reasons: ['the fleet is ended'] }, async () => {
    await world.exec.kill(pid, 'SIGTERM');
    const until = world.clock.now() + upGraceMs;
    while (isProcess(world, state.process)) {
      if (world.clock.now() > until) await world.exec.kill(pid, 'SIGKILL');
      await world.clock.sleep(pollMs);
    }
    return null;
  });
  return pid;
}

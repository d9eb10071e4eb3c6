import type { Instance, Mark } from '../../domain/instance.ts';
import { thisMachine } from '../../domain/host-access.ts';
import { sameObject } from '../../domain/instance.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Effect } from '../../domain/journal.ts';
import type { RestartReason, Restarts } from '../../domain/restarts.ts';
import type { World } from '../../io/world.ts';
import { processTarget } from '../../targets/process.ts';
import { targetOf } from '../../targets/registry.ts';
import type { HungPorts } from './hung-watch.ts';
import { isAtRest } from '../plan/at-rest.ts';
import { createSideLooks, machineWatches } from '../observe/machine-watch.ts';
import { instancesOf, observe } from '../observe/observe.ts';
import type { Observed } from '../observe/observe.ts';
import { expectNamedSecrets, isInPlace } from '../file/named-secrets.ts';
import { hostLock } from '../file/paths.ts';
import { urlOf } from '../apply/ready.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { openJournal } from '../apply/journal.ts';
import type { Journal } from '../apply/journal.ts';
import { startEngine } from '../apply/start-engine.ts';
import { afterRestart, mayRestart } from './restarts.ts';
import type { Attempts } from './restarts.ts';
import type { RunningEngine } from '../gateway/running-engine.ts';
import type { Successor } from '../apply/traffic.ts';

/** Watches the engines of one fleet: starts those again that end without having been told to, and restarts those that hang. */
export interface Supervisor {
  /** Looks once at each machine; does nothing on one where someone else changes engines. It is not waited for other machines. */
  readonly look: (signal: AbortSignal) => Promise<void>;
  /** Resolves once nothing of a look is under way. */
  readonly settled: () => Promise<void>;
  /**
   * Takes over what runs now; what ran before and runs no longer is forgotten. Of two engines of one replica, as while
   * one replaces the other, `to` is taken; without it the one that was watched before. Where `to` gets but a share, both serve
   * until it is told of once more, or has ended.
   */
  readonly adopt: (
    instances: readonly Instance[],
    how?: {
      readonly to?: Successor | null;
      /** Could not be looked at, and is watched on. */
      readonly unseen?: (watched: { readonly host: string; readonly mark: Mark }) => boolean;
      /** Is watched until it is started again, where it has ended. */
      readonly waits?: (watched: Instance & { readonly mark: Mark }) => boolean;
    },
  ) => void;
  readonly engines: () => RunningEngine[];
  /** How often it has started which engine again. */
  readonly restarts: () => Restarts;
}

/** An instance of this fleet: marked. */
type Own = Instance & { readonly mark: Mark };

const maxLogBytes = 10 * 1024 * 1024;

export interface SupervisorPorts {
  readonly onProgress: (line: string) => void;
  readonly withheld: () => readonly string[];
  /** The world of the machine that it runs on. */
  readonly worldOf: (instance: Instance) => Promise<World>;
  /** Deployments that are not restarted here but told of: they are started when they are asked for. */
  readonly onDemand: (deployment: string) => boolean;
  readonly onGone: () => void;
  /** An engine is started again. */
  readonly onRestart: (mark: Mark, reason: RestartReason) => void;
  readonly hung: HungPorts;
  /** The name of its host in the file. */
  readonly hostNameOf: (instance: Pick<Instance, 'host'>) => string;
}

export function createSupervisor(world: World, fleet: FleetIdentity, options: SupervisorPorts): Supervisor {
  let watched = new Map<string, Own>();
  let sharing = new Map<string, Sharing>();
  const watchOf = machineWatches(options);
  const elsewhere = createSideLooks(world.log);
  const restarting = restarter(world, fleet, options);

  async function lookOn(engines: readonly Own[], signal: AbortSignal): Promise<void> {
    const [first] = engines;
    if (!first) return;
    const on = await watchOf(first);
    const { host, watch } = on;
    // Elsewhere no more often than all is looked at.
    if (host.machine === thisMachine) await rotateLogs(host, engines);
    watch.look(engines);
    const hung = watch.hung(engines);
    if (hung.length === 0 && (await on.allRun(engines))) return;
    using lock = await host.locks.take(
      hostLock(host),
      `berth up of fleet ${fleet.fleet} (process ${process.pid})`,
    );
    if (!lock) return;
    if (host.machine !== thisMachine) await rotateLogs(host, engines);
    const seen = await observe(host);
    on.looked();
    const alive = aliveIn(host, { seen, fleet, watched });
    const gone: string[] = [];
    for (const { mark } of engines) {
      if (signal.aborted) return;
      // What cannot be seen is not taken for ended.
      if (seen.mute.has(mark.target.kind)) continue;
      const key = keyOf(mark);
      const found = alive.get(key) ?? null;
      if (found) watched.set(key, found);
      const hangs = hung.some((one) => found && sameObject(one.object, found.object));
      if (!found && (await isLeft(world, fleet, { mark, options }))) gone.push(key);
      else if (hangs || (!found && !targetOf(mark.target.kind).supervises)) {
        await restarting.restart(host, { key, mark, hung: found }, signal);
        on.forget();
      }
    }
    for (const key of gone) watched.delete(key);
    if (gone.length > 0 || engines.some((one) => hasMoved(one, watched))) options.onGone();
  }

  return {
    adopt: (instances, { to = null, unseen = () => false, waits = () => false } = {}) => {
      const kept = [...watched].filter(([, one]) => unseen(one) || waits(one));
      const own = takenIn(instances, options.onDemand);
      const whole = to?.share === undefined ? to : null;
      watched = new Map([...kept, ...chosen(own, watched, whole)]);
      sharing = stillSharing(own, { watched, before: sharing, to, unseen });
    },
    engines: () => enginesOf(watched, sharing),
    restarts: restarting.restarts,
    look: async (signal) => {
      const byMachine = Map.groupBy(watched.values(), (one) => one.host);
      for (const [machine, engines] of byMachine)
        if (machine !== world.machine) elsewhere.begin(machine, () => lookOn(engines, signal));
      await lookOn(byMachine.get(world.machine) ?? [], signal);
    },
    settled: elsewhere.settled,
  };
}

/** Whether nobody here starts it again: its next request does, or it was stopped by hand, which may not have been told here. */
async function isLeft(
  world: World,
  fleet: FleetIdentity,
  { mark: { deployment }, options }: { mark: Mark; options: SupervisorPorts },
): Promise<boolean> {
  return options.onDemand(deployment) || isAtRest(world, fleet, deployment).catch(() => false);
}

/** What is on demand and lies there without running, such as a unit that was rendered, is started by its next request. */
function takenIn(instances: readonly Instance[], onDemand: (deployment: string) => boolean): Own[] {
  return instances.filter(isOwn).filter((one) => one.alive || !onDemand(one.mark.deployment));
}

/** What says to be an engine where that neither is to run nor was applied is none. */
function aliveIn(
  host: World,
  { seen, fleet, watched }: { seen: Observed; fleet: FleetIdentity; watched: ReadonlyMap<string, Own> },
): Map<string, Own> {
  const running = instancesOf(seen, fleet).filter(isOwn);
  return chosen(
    running.filter((one) => one.alive && isInPlace(host, one.mark)),
    watched,
    null,
  );
}

function enginesOf(
  watched: ReadonlyMap<string, Own>,
  sharing: ReadonlyMap<string, Sharing>,
): RunningEngine[] {
  return [
    ...[...watched.values()].map(({ mark, host }) => ({ mark, machine: host })),
    ...[...sharing.values()].map(({ own, share }) => ({ mark: own.mark, machine: own.host, share })),
  ];
}

/** A pod that came back has another address. */
function hasMoved({ mark }: Own, watched: ReadonlyMap<string, Own>): boolean {
  const now = watched.get(keyOf(mark));
  return now !== undefined && urlOf(now.mark) !== urlOf(mark);
}

/** Of processes alone: others have no such file, and whoever may write their marks could have any file cut. */
async function rotateLogs({ logFiles }: World, engines: readonly Own[]): Promise<void> {
  for (const { mark } of engines)
    if (mark.target.kind === processTarget.kind) await logFiles.rotate(mark.logFile, maxLogBytes);
}

interface Fallen {
  readonly key: string;
  readonly mark: Mark;
  /** The one that runs and hangs; null: it has ended. */
  readonly hung: Own | null;
}

/** Opened for each entry, since whoever stays for long would never move aside what has grown large. */
function journalOf(world: World, fleet: FleetIdentity, { machine }: World): Journal {
  // Its lock is held now, that of another machine is not.
  return openJournal(world, fleet, { command: 'up', plan: null, rotates: machine === thisMachine });
}

function effectOf({ mark, hung }: Fallen, host: string): Effect {
  return {
    do: hung ? 'restart' : 'start',
    host,
    deployment: mark.deployment,
    replica: mark.replica,
    object: hung?.object.name ?? null,
    target: mark.target.kind,
    reasons: [hung ? 'it ran and did not answer' : 'it had ended by itself'],
  };
}

/** Starts an engine again, not too often. */
function restarter(
  world: World,
  fleet: FleetIdentity,
  options: SupervisorPorts,
): {
  restart: (host: World, fallen: Fallen, signal: AbortSignal) => Promise<void>;
  restarts: () => Restarts;
} {
  const attempts = new Map<string, Attempts>();
  const counts = new Map<string, Restarts[number]>();
  const { onProgress } = options;

  function count({ key, mark, hung }: Fallen): void {
    const before = counts.get(key);
    const at = world.clock.wall().toISOString();
    counts.set(key, {
      deployment: mark.deployment,
      replica: mark.replica,
      ended: (before?.ended ?? 0) + (hung ? 0 : 1),
      hung: (before?.hung ?? 0) + (hung ? 1 : 0),
      hungAt: hung ? at : (before?.hungAt ?? null),
    });
    options.onRestart(mark, hung ? 'hung' : 'ended');
  }

  async function restart(host: World, fallen: Fallen, signal: AbortSignal): Promise<void> {
    const { key, mark, hung } = fallen;
    const now = world.clock.now();
    if (!mayRestart(attempts.get(key), now)) return;
    attempts.set(key, afterRestart(attempts.get(key), now));
    onProgress(
      hung
        ? `${mark.deployment} (${hung.object.name}) runs and has not answered for long; restarting it`
        : `${mark.deployment} has ended; starting it again`,
    );
    count(fallen);
    try {
      const hostName = options.hostNameOf({ host: host.machine });
      const journal = journalOf(world, fleet, host);
      await journal.record(effectOf(fallen, hostName), async () => {
        if (hung && !(await endHung(host, hung, options.onDemand(mark.deployment)))) return null;
        const started = await startEngine(host, mark, { withheld: options.withheld(), journal, hostName });
        await started.ready(signal);
        onProgress(`${mark.deployment} is ready again`);
        return started.instance.object.name;
      });
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      onProgress(`berth: ${error.message}`);
    }
  }

  return { restart, restarts: () => [...counts.values()] };
}

/**
 * True when it has to be started again from here. What its target looks after is restarted by that and stays its own, whether
 * it then answers or not; what runs on demand is started by its next request.
 */
async function endHung(world: World, hung: Own, onDemand: boolean): Promise<boolean> {
  const target = targetOf(hung.mark.target.kind);
  if (!onDemand && target.supervises && target.restart) {
    expectNamedSecrets(world, hung.mark, hung.object.name);
    await target.restart(world, hung);
    return false;
  }
  await target.remove(world, hung, hung.mark.spec.stop);
  return !onDemand;
}

/** One instance for each replica. */
function chosen(
  instances: readonly Own[],
  before: ReadonlyMap<string, Own>,
  to: Successor | null,
): Map<string, Own> {
  const found = new Map<string, Own>();
  for (const one of instances) {
    const key = keyOf(one.mark);
    const wanted = to && keyOf(to) === key ? to : placeOf(before.get(key));
    const isWanted = one.mark.port === wanted?.port && one.host === (wanted.machine ?? one.host);
    if (!found.has(key) || isWanted) found.set(key, one);
  }
  return found;
}

/** One that takes over from the one that is watched, and its share so far. */
interface Sharing {
  readonly own: Own;
  readonly share: number;
}

/** Whoever still runs keeps its share until its replica is told of; it may take the place of none but another. */
function stillSharing(
  instances: readonly Own[],
  {
    watched,
    before,
    to,
    unseen,
  }: {
    watched: ReadonlyMap<string, Own>;
    before: ReadonlyMap<string, Sharing>;
    to: Successor | null;
    unseen: (one: Own) => boolean;
  },
): Map<string, Sharing> {
  const told = to ? keyOf(to) : null;
  const kept = [...before].flatMap(([key, { own, share }]): [string, Sharing][] => {
    const now = instances.find((one) => one.alive && sameObject(one.object, own.object));
    const seen = now ?? (unseen(own) ? own : null);
    return key === told || !seen ? [] : [[key, { own: seen, share }]];
  });
  const found = to?.share === undefined ? undefined : instances.find((one) => isAt(one, to));
  if (told !== null && found && to?.share !== undefined) kept.push([told, { own: found, share: to.share }]);
  return new Map(
    kept.filter(([key, { own }]) => {
      const serving = watched.get(key);
      return serving !== undefined && !sameObject(serving.object, own.object);
    }),
  );
}

function isAt({ mark, host, alive }: Own, to: Successor): boolean {
  return alive && keyOf(mark) === keyOf(to) && mark.port === to.port && host === (to.machine ?? host);
}

function placeOf(one: Own | undefined): { port: number; machine?: string } | null {
  return one ? { port: one.mark.port, machine: one.host } : null;
}

function isOwn(instance: Instance): instance is Own {
  return instance.mark !== null;
}

function keyOf(mark: Pick<Mark, 'deployment' | 'replica'>): string {
  return `${mark.deployment}/${mark.replica}`;
}

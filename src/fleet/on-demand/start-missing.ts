import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Effect } from '../../domain/journal.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { isAddress } from '../../domain/model-source.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { takeHostLocks } from '../apply/host-locks.ts';
import type { LockTaker } from '../apply/host-locks.ts';
import { desiredReplicas } from '../plan/desired.ts';
import { expectPrograms } from '../plan/missing-programs.ts';
import type { DesiredReplica } from '../plan/desired.ts';
import { accessOf, worldOfHost, worldOfInstance, worldOn } from '../file/hosts.ts';
import { expectAsked, instancesOf, observe } from '../observe/observe.ts';
import type { Observed } from '../observe/observe.ts';
import { engineLog, fleetPaths } from '../file/paths.ts';
import { freePort } from '../plan/ports.ts';
import { waitAnswer } from '../apply/ready.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { RunningEngine } from '../gateway/running-engine.ts';
import { openJournal } from '../apply/journal.ts';
import type { Journal } from '../apply/journal.ts';
import { startEngine } from '../apply/start-engine.ts';
import type { StartedEngine } from '../apply/start-engine.ts';
import { followProgress } from './progress.ts';

export interface StartTask {
  readonly loaded: LoadedFleet;
  readonly deployment: string;
  /** Those that run, or are started again: where one has ended, its port is free for a moment and is not to be had. */
  readonly engines: () => readonly RunningEngine[];
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  /** A part from 0 to 1, where the engine's output tells it. */
  readonly onPart: (part: number) => void;
}

/**
 * Brings up the replicas of one deployment that do not run and waits until all answer; true when one had to be started. The host is
 * locked only while they are started, not while they load. Rejects as `waitReady` does; what was started is stopped then.
 */
export async function startMissing(world: World, task: StartTask): Promise<boolean> {
  const { loaded, deployment, signal } = task;
  const only = { ...loaded, deployments: loaded.deployments.filter((one) => one.name === deployment) };
  const wanted = await desiredReplicas(world, only);
  expectPrograms(wanted);
  const hostName = only.deployments[0]?.host ?? 'local';
  const host = await worldOfHost(world, loaded.hosts, hostName);
  await expectFiles(host, wanted);
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  const journal = journalOf(world, loaded);
  const waits: Promise<unknown>[] = [];
  let started = false;
  try {
    using _locks = await takeHostLocks(world, [accessOf(loaded.hosts[hostName])], {
      ...takerOf(task),
      signal,
    });
    for (const one of wanted) {
      signal.throwIfAborted();
      const observed = await observe(host);
      expectAsked(observed, one.deployment.target);
      const running = replicasOf(observed, loaded, deployment).find(
        (mine) => mine.alive && mine.mark.replica === one.replica,
      );
      started ||= !running;
      // Waited for below, after the others are started.
      const wait = running
        ? waitAnswer(host, { instance: running, mark: running.mark, signal: both })
        : (await startOne(host, task, { mark: markOf(host, task, one, observed), journal, signal: both }))
            .ready;
      wait.catch(() => own.abort());
      waits.push(wait);
    }
  } catch (error) {
    own.abort();
    await Promise.allSettled(waits);
    throw error;
  }
  const ends = await Promise.allSettled(waits);
  const failed = ends.find((end) => end.status === 'rejected');
  if (!failed) return started;
  throw firstFault(ends) ?? failed.reason;
}

/** The one that made the others give up, not theirs. */
function firstFault(ends: readonly PromiseSettledResult<unknown>[]): unknown {
  return ends.flatMap((end) =>
    end.status === 'rejected' && end.reason instanceof BerthError ? [end.reason] : [],
  )[0];
}

type Own = Instance & { readonly mark: Mark };

/** Instances of one deployment, marked as this fleet's. */
export function replicasOf(observed: Observed, loaded: LoadedFleet, deployment: string): Own[] {
  return instancesOf(observed, loaded).filter((one): one is Own => one.mark?.deployment === deployment);
}

/** Ends all replicas of one deployment. */
export async function stopReplicas(
  world: World,
  task: Pick<StartTask, 'loaded' | 'deployment' | 'onProgress'>,
): Promise<void> {
  const { hosts, deployments } = task.loaded;
  const stated = deployments.find((one) => one.name === task.deployment);
  const access = accessOf(hosts[stated?.host ?? 'local']);
  using _locks = await takeHostLocks(world, [access], takerOf(task));
  const seen = await observe(await worldOn(world, access));
  if (stated) expectAsked(seen, stated.target);
  const running = replicasOf(seen, task.loaded, task.deployment);
  const journal = journalOf(world, task.loaded);
  await Promise.all(
    running.map(async (one) => {
      const { mark } = one;
      const why = { do: 'stop', mark, object: one.object.name, reason: 'its model is unloaded' } as const;
      await journal.record(effectOf(task.loaded, why), async () => {
        const there = await worldOfInstance(world, task.loaded.hosts, one);
        // The next request brings it back, and what ran before stays for whoever goes back then.
        await targetOf(mark.target.kind).remove(there, one, mark.spec.stop);
        return null;
      });
    }),
  );
}

function journalOf(world: World, loaded: LoadedFleet): Journal {
  return openJournal(world, loaded, { command: 'up', plan: null, rotates: false });
}

function effectOf(
  { deployments }: LoadedFleet,
  what: { do: 'start' | 'stop'; mark: Mark; object: string | null; reason: string },
): Effect {
  const { deployment, replica } = what.mark;
  const host = deployments.find(({ name }) => name === deployment)?.host ?? 'local';
  const target = what.do === 'start' ? { target: what.mark.target.kind } : {};
  return { do: what.do, host, deployment, replica, object: what.object, ...target, reasons: [what.reason] };
}

/** An apply holds the lock until its engines answer, and whoever asks for a model has a deadline of his own. */
const waitMs = 15 * 60_000;

function takerOf({ loaded, onProgress }: Pick<StartTask, 'loaded' | 'onProgress'>): LockTaker {
  return { who: `berth up of fleet ${loaded.fleet}`, onProgress, waitMs };
}

async function expectFiles(world: World, wanted: readonly DesiredReplica[]): Promise<void> {
  for (const path of wanted.flatMap(({ spec }) => [spec.model, spec.mmproj]))
    if (path !== null && isAddress(path))
      throw new BerthError('MODEL_NOT_PULLED', {
        source: path,
        reason: `it would have to lie on ${world.machine}, and models are fetched to the machine of berth alone`,
        cure: "Put it there by hand, and name its path as the model's source.",
      });
    else if (path !== null && !(await world.files.stat(path))?.isFile)
      throw new BerthError('FILE_MISSING', { path, what: 'model file' });
}

async function startOne(
  host: World,
  task: StartTask,
  { mark, journal, signal }: { mark: Mark; journal: Journal; signal: AbortSignal },
): Promise<{ ready: Promise<unknown> }> {
  const { withheld } = task.loaded;
  const starting = Promise.withResolvers<StartedEngine>();
  const effect = effectOf(task.loaded, {
    do: 'start',
    mark,
    object: null,
    reason: 'its model was asked for',
  });
  const ready = journal.record(effect, async () => {
    const engine = await startEngine(host, mark, { withheld, journal, hostName: effect.host ?? 'local' });
    starting.resolve(engine);
    await engine.ready(signal);
    return engine.instance.object.name;
  });
  ready.catch(starting.reject);
  const engine = await starting.promise;
  const loaded = new AbortController();
  void followProgress(host, { mark, lines: engine.lines, signal: loaded.signal, onPart: task.onPart });
  return { ready: ready.finally(() => loaded.abort()) };
}

function markOf(world: World, task: StartTask, wanted: DesiredReplica, observed: Observed): Mark {
  const { loaded } = task;
  const { deployment, replica, spec } = wanted;
  return {
    fleet: loaded.fleet,
    fleetId: loaded.fleetId,
    deployment: deployment.name,
    replica,
    target: { ...deployment.target },
    address: '127.0.0.1',
    port: portOf(world, task, wanted, observed),
    logFile: engineLog(fleetPaths(world, loaded), deployment.name, replica),
    declared: { ...deployment.declared },
    spec,
  };
}

/** The one of the file, else that of an object of this place that does not run, as long as nobody else has it, else a free one. */
function portOf(
  { machine }: World,
  { loaded, engines }: StartTask,
  { deployment, replica }: DesiredReplica,
  observed: Observed,
): number {
  if (deployment.port !== null) return deployment.port;
  const fallen = replicasOf(observed, loaded, deployment.name).filter((one) => one.mark.replica === replica);
  const others = observed.instances.filter(
    (one) => !fallen.some((own) => sameObject(own.object, one.object)),
  );
  const used = new Set([
    ...observed.listeners.map((one) => one.port),
    ...others.flatMap((one) => one.mark?.port ?? []),
    ...loaded.deployments.flatMap((one) => one.port ?? []),
    ...engines().flatMap((one) =>
      one.mark.deployment === deployment.name || (one.machine ?? machine) !== machine ? [] : one.mark.port,
    ),
  ]);
  const before = fallen.find(({ mark }) => !used.has(mark.port));
  return before?.mark.port ?? freePort(deployment.host, loaded.hosts[deployment.host], used);
}

import type { Instance, Mark } from '../domain/instance.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { rotateLog } from '../io/log-file.ts';
import { tryLock } from '../io/lock.ts';
import type { World } from '../io/world.ts';
import { targetOf } from '../targets/registry.ts';
import { instancesOf, observe } from './observe.ts';
import { hostLock } from './paths.ts';
import type { FleetIdentity } from './paths.ts';
import { startEngine } from './start-engine.ts';
import { afterRestart, mayRestart } from './restarts.ts';
import type { Attempts } from './restarts.ts';
import type { Successor } from './traffic.ts';

/** Watches the engines of one fleet and starts those again that end without having been told to. */
export interface Supervisor {
  /** Looks once. Does nothing while someone else changes engines on this host. */
  readonly look: (signal: AbortSignal) => Promise<void>;
  /**
   * Takes over what runs now; what ran before and runs no longer is forgotten. Of two engines of one replica, as while
   * one replaces the other, `to` is taken; without it the one that was watched before.
   */
  readonly adopt: (instances: readonly Instance[], to?: Successor | null) => void;
  readonly marks: () => Mark[];
}

/** An instance of this fleet: marked. */
type Own = Instance & { readonly mark: Mark };

/** All processes of this machine are read so often, even while nothing is amiss. */
const wholeMs = 30_000;
const maxLogBytes = 10 * 1024 * 1024;

export function createSupervisor(
  world: World,
  fleet: FleetIdentity,
  options: {
    onProgress: (line: string) => void;
    withheld: () => readonly string[];
    /** Deployments that are not restarted here but told of: they are started when they are asked for. */
    onDemand: (deployment: string) => boolean;
    onGone: () => void;
  },
): Supervisor {
  let watched = new Map<string, Own>();
  let lookedAt = -Infinity;

  const restart = restarter(world, options);
  /** Each by itself, which reads little; all that runs is looked at seldom. */
  async function allRun(): Promise<boolean> {
    if (world.clock.now() - lookedAt >= wholeMs) return false;
    const alive = [...watched.values()].map((one) => targetOf(one.object.target).isAlive(world, one));
    return (await Promise.all(alive)).every(Boolean);
  }

  return {
    adopt: (instances, to = null) => {
      watched = chosen(instances.filter(isOwn), watched, to);
    },
    marks: () => [...watched.values()].map(({ mark }) => mark),
    look: async (signal) => {
      for (const { mark } of watched.values()) await rotateLog(mark.logFile, maxLogBytes);
      if (await allRun()) return;
      using lock = await tryLock(
        hostLock(world),
        `berth up of fleet ${fleet.fleet} (process ${process.pid})`,
      );
      if (!lock) return;
      const running = instancesOf(await observe(world), fleet).filter(isOwn);
      lookedAt = world.clock.now();
      const alive = chosen(
        running.filter((one) => one.alive),
        watched,
        null,
      );
      const gone: string[] = [];
      for (const [key, { mark }] of watched) {
        if (signal.aborted) return;
        const found = alive.get(key);
        if (found) {
          watched.set(key, found);
          continue;
        }
        if (options.onDemand(mark.deployment)) gone.push(key);
        else if (!targetOf(mark.target.kind).supervises) {
          await restart(key, mark, signal);
          lookedAt = -Infinity;
        }
      }
      for (const key of gone) watched.delete(key);
      if (gone.length > 0) options.onGone();
    },
  };
}

/** Starts an engine again, not too often. */
function restarter(
  world: World,
  { onProgress, withheld }: { onProgress: (line: string) => void; withheld: () => readonly string[] },
): (key: string, mark: Mark, signal: AbortSignal) => Promise<void> {
  const attempts = new Map<string, Attempts>();
  return async function restart(key: string, mark: Mark, signal: AbortSignal): Promise<void> {
    const now = world.clock.now();
    if (!mayRestart(attempts.get(key), now)) return;
    attempts.set(key, afterRestart(attempts.get(key), now));
    onProgress(`${mark.deployment} has ended; starting it again`);
    try {
      const started = await startEngine(world, mark, { withheld: withheld() });
      await started.ready(signal);
      onProgress(`${mark.deployment} is ready again`);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      onProgress(`berth: ${error.message}`);
    }
  };
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
    const wanted = to && keyOf(to) === key ? to.port : before.get(key)?.mark.port;
    if (!found.has(key) || one.mark.port === wanted) found.set(key, one);
  }
  return found;
}

function isOwn(instance: Instance): instance is Own {
  return instance.mark !== null;
}

function keyOf(mark: Pick<Mark, 'deployment' | 'replica'>): string {
  return `${mark.deployment}/${mark.replica}`;
}

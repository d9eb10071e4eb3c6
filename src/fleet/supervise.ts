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
  const { onProgress } = options;
  let watched = new Map<string, Mark>();
  const attempts = new Map<string, Attempts>();

  async function restart(key: string, mark: Mark, signal: AbortSignal): Promise<void> {
    const now = world.clock.now();
    if (!mayRestart(attempts.get(key), now)) return;
    attempts.set(key, afterRestart(attempts.get(key), now));
    onProgress(`${mark.deployment} has ended; starting it again`);
    try {
      const started = await startEngine(world, mark, { withheld: options.withheld() });
      await started.ready(signal);
      onProgress(`${mark.deployment} is ready again`);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      onProgress(`berth: ${error.message}`);
    }
  }

  return {
    adopt: (instances, to = null) => {
      watched = chosenMarks(
        instances.flatMap(({ mark }) => mark ?? []),
        watched,
        to,
      );
    },
    marks: () => [...watched.values()],
    look: async (signal) => {
      using lock = await tryLock(
        hostLock(world),
        `berth up of fleet ${fleet.fleet} (process ${process.pid})`,
      );
      if (!lock) return;
      const running = instancesOf(await observe(world), fleet);
      const alive = new Set(running.flatMap(({ mark, alive: runs }) => (mark && runs ? [keyOf(mark)] : [])));
      const gone: string[] = [];
      for (const [key, mark] of watched) {
        if (signal.aborted) return;
        await rotateLog(mark.logFile, maxLogBytes);
        if (alive.has(key)) continue;
        if (options.onDemand(mark.deployment)) gone.push(key);
        else if (!targetOf(mark.target.kind).supervises) await restart(key, mark, signal);
      }
      for (const key of gone) watched.delete(key);
      if (gone.length > 0) options.onGone();
    },
  };
}

function chosenMarks(
  marks: readonly Mark[],
  before: ReadonlyMap<string, Mark>,
  to: Successor | null,
): Map<string, Mark> {
  const chosen = new Map<string, Mark>();
  for (const mark of marks) {
    const key = keyOf(mark);
    const wanted = to && keyOf(to) === key ? to.port : before.get(key)?.port;
    if (!chosen.has(key) || mark.port === wanted) chosen.set(key, mark);
  }
  return chosen;
}

function keyOf(mark: Pick<Mark, 'deployment' | 'replica'>): string {
  return `${mark.deployment}/${mark.replica}`;
}

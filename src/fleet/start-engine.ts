import type { Ending, Instance, Mark } from '../domain/instance.ts';
import { lastLines } from '../io/log-file.ts';
import type { World } from '../io/world.ts';
import { targetOf } from '../targets/registry.ts';
import { fleetPaths } from './paths.ts';
import { waitReady } from './ready.ts';

export interface StartedEngine {
  readonly instance: Instance;
  /** Byte of its log at which this start begins. */
  readonly logFrom: number;
  /** Resolves once it answers. One that never does, or is not waited for any longer, is stopped again. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
}

/** Starts one engine; it does not answer yet. */
export async function startEngine(
  world: World,
  mark: Mark,
  withheld: readonly string[],
): Promise<StartedEngine> {
  const target = targetOf(mark.target.kind);
  const { end: logFrom } = await lastLines(mark.logFile, 0);
  let ending: Ending | null = null;
  const instance = await target.start(
    world,
    {
      mark,
      address: mark.address,
      port: mark.port,
      logFile: mark.logFile,
      stateDir: fleetPaths(world, mark).state,
      withheld,
      onEnd: (how) => (ending = how),
    },
    mark.target,
  );
  return {
    instance,
    logFrom,
    ready: async (signal) => {
      try {
        await waitReady(world, { instance, mark, logFrom, signal, ending: () => ending });
      } catch (error) {
        await target.stop(world, instance, mark.spec.stop);
        throw error;
      }
    },
  };
}

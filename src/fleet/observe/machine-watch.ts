import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { isUnasked, targetOf } from '../../targets/registry.ts';
import { createHungWatch } from '../up/hung-watch.ts';
import type { HungPorts, HungWatch } from '../up/hung-watch.ts';

/** All processes of a machine are read so often, even while nothing is amiss. */
const wholeMs = 30_000;

/** What is kept of one machine between two looks. */
export interface MachineWatch {
  readonly host: World;
  readonly watch: HungWatch;
  /** Each engine by itself, which reads little. False when one has ended, or when all is to be looked at, which is seldom. */
  readonly allRun: (engines: readonly (Instance & { readonly mark: Mark })[]) => Promise<boolean>;
  /** All was looked at. */
  readonly looked: () => void;
  readonly forget: () => void;
}

/** The watch of the machine that an engine runs on. */
export function machineWatches(ports: {
  readonly worldOf: (instance: Instance) => Promise<World>;
  readonly hung: HungPorts;
}): (one: Instance) => Promise<MachineWatch> {
  const known = new Map<string, Omit<MachineWatch, 'host'>>();
  return async (one) => {
    const host = await ports.worldOf(one);
    const watch = known.get(one.host) ?? machineWatch(host, ports.hung);
    known.set(one.host, watch);
    return { ...watch, host };
  };
}

function machineWatch(host: World, hung: HungPorts): Omit<MachineWatch, 'host'> {
  let lookedAt = -Infinity;
  return {
    watch: createHungWatch(host, hung),
    allRun: async (engines) => {
      if (host.clock.now() - lookedAt >= wholeMs) return false;
      const alive = engines.map(async (one) => {
        const target = targetOf(one.object.target);
        try {
          return await target.isAlive(host, one);
        } catch (error) {
          // Those of other targets are looked after all the same.
          if (isUnasked(target, error)) return true;
          throw error;
        }
      });
      return (await Promise.all(alive)).every(Boolean);
    },
    looked: () => (lookedAt = host.clock.now()),
    forget: () => (lookedAt = -Infinity),
  };
}

/** Looks at other machines beside each other: one that is slow keeps nobody waiting, and is not looked at twice at once. */
export function createSideLooks(log: World['log']): {
  begin: (machine: string, look: () => Promise<void>) => void;
  settled: () => Promise<void>;
} {
  const under = new Map<string, Promise<void>>();

  async function guarded(machine: string, look: () => Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      // What cannot be seen is not taken for ended; whoever reaches for it is told that it does not answer.
      if (!(error instanceof BerthError))
        log.error('Looking after another machine failed.', { machine, reason: String(error) });
    }
  }

  return {
    begin: (machine, look) => {
      if (under.has(machine)) return;
      under.set(
        machine,
        guarded(machine, look).finally(() => under.delete(machine)),
      );
    },
    settled: async () => void (await Promise.all(under.values())),
  };
}

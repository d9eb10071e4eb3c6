import { machineOf } from '../../domain/host-access.ts';
import type { World } from '../../io/world.ts';
import { observeFleet } from './observe.ts';
import type { Sight } from './observe.ts';
import type { LoadedFleet } from '../file/resolve.ts';

const everyMs = 10_000;

/** The machines of those hosts that did not answer. */
export function silentMachines({ silent }: Sight, { hosts }: LoadedFleet): Set<string> {
  return new Set([...silent.keys()].map((name) => machineOf(hosts[name])));
}

/** Asks hosts again that did not answer. */
export interface SilentWatch {
  /** Begins to ask when it is time to, and waits for no answer: that may take as long as a connection may. */
  readonly look: () => void;
}

export function createSilentWatch(
  world: World,
  ports: {
    readonly loaded: () => LoadedFleet;
    readonly silent: () => ReadonlySet<string>;
    /** These hosts answer again. */
    readonly answer: (names: readonly string[]) => Promise<void>;
  },
): SilentWatch {
  let askedAt = world.clock.now();
  let asking = false;

  async function ask(): Promise<void> {
    const silent = ports.silent();
    const hosts = Object.entries(ports.loaded().hosts).filter(([, host]) => silent.has(machineOf(host)));
    const seen = await observeFleet(world, Object.fromEntries(hosts));
    if (seen.hosts.size > 0) await ports.answer([...seen.hosts.keys()]);
  }

  return {
    look: () => {
      if (asking || ports.silent().size === 0 || world.clock.now() - askedAt < everyMs) return;
      askedAt = world.clock.now();
      asking = true;
      void ask()
        .catch((error: unknown) => world.log.error('Asking a silent host failed.', { reason: String(error) }))
        .finally(() => (asking = false));
    },
  };
}

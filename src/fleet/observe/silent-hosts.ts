import { machineOf } from '../../domain/host-access.ts';
import type { World } from '../../io/world.ts';
import { muteOf, observeFleet } from './observe.ts';
import type { Sight } from './observe.ts';
import type { LoadedFleet } from '../file/resolve.ts';

const everyMs = 10_000;

/** What could not be looked at: machines by their names, and targets of machines that answered, as both with a line end between. */
export type Unseen = ReadonlySet<string>;

export function unseenIn(
  sight: Sight,
  { hosts, deployments }: Pick<LoadedFleet, 'hosts' | 'deployments'>,
): Unseen {
  return new Set([
    ...[...sight.silent.keys()].map((name) => machineOf(hosts[name])),
    ...muteOf(sight, deployments).map(({ host, target }) => `${machineOf(hosts[host])}\n${target}`),
  ]);
}

export function isUnseen(unseen: Unseen, { machine, target }: { machine: string; target: string }): boolean {
  return unseen.has(machine) || unseen.has(`${machine}\n${target}`);
}

/** Asks hosts again that did not answer, or of which a target could not be asked. */
export interface SilentWatch {
  /** Begins to ask when it is time to, and waits for no answer: that may take as long as a connection may. */
  readonly look: () => void;
}

export function createSilentWatch(
  world: World,
  ports: {
    readonly loaded: () => LoadedFleet;
    readonly unseen: () => Unseen;
    /** These hosts tell more than before. */
    readonly answer: (names: readonly string[]) => Promise<void>;
  },
): SilentWatch {
  let askedAt = world.clock.now();
  let asking = false;

  async function ask(): Promise<void> {
    const before = ports.unseen();
    const { deployments, ...loaded } = ports.loaded();
    const hosts = Object.fromEntries(
      Object.entries(loaded.hosts).filter(([, host]) =>
        [...before].some((one) => one.split('\n')[0] === machineOf(host)),
      ),
    );
    const now = unseenIn(await observeFleet(world, hosts), { hosts, deployments });
    const seen = [...before].flatMap((one) => {
      const [machine = '', target = ''] = one.split('\n');
      return now.has(one) || now.has(machine) ? [] : [{ machine, target }];
    });
    const names = Object.keys(hosts).filter((name) =>
      seen.some(({ machine }) => machine === machineOf(hosts[name])),
    );
    if (names.length > 0) await ports.answer(names);
  }

  return {
    look: () => {
      if (asking || ports.unseen().size === 0 || world.clock.now() - askedAt < everyMs) return;
      askedAt = world.clock.now();
      asking = true;
      void ask()
        .catch((error: unknown) => world.log.error('Asking a silent host failed.', { reason: String(error) }))
        .finally(() => (asking = false));
    },
  };
}

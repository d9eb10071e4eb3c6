import type { Instance } from '../domain/instance.ts';
import type { World } from '../io/world.ts';
import { targetOf } from '../targets/registry.ts';
import { bestEffort } from './apply.ts';
import { hostNameOf, worldOfInstance } from './hosts.ts';
import type { Hosts } from './hosts.ts';
import type { Journal } from './journal.ts';
import { urlOf } from './ready.ts';
import type { Traffic } from './traffic.ts';

export interface Ending {
  readonly instances: readonly Instance[];
  readonly hosts: Hosts;
  readonly traffic: Traffic;
  readonly journal: Journal;
  /** Why, for the journal. */
  readonly reason: string;
  readonly onProgress: (line: string) => void;
}

const drainMs = 120_000;

/**
 * Ends engines side by side: each gets no new request first, and its open ones their time. A running control process then forgets
 * them, so that it starts none again; whoever calls this holds the hosts' locks, which keeps it from doing so in between.
 */
export async function endEngines(world: World, ending: Ending): Promise<void> {
  const { instances, hosts, traffic, journal, reason, onProgress } = ending;
  const move = bestEffort({ traffic, onProgress });
  await Promise.all(
    instances.map(async (one) => {
      const { mark } = one;
      if (!mark) return;
      const { deployment, replica } = mark;
      const forMs = drainMs + mark.spec.stop.graceMs;
      const { left } = await move({ do: 'drain', url: urlOf(mark), forMs });
      if (left > 0)
        onProgress(`${deployment} (${one.object.name}) still serves ${left} requests, which are cut off`);
      onProgress(`Stopping ${deployment} (${one.object.name})`);
      const host = hostNameOf(hosts, one);
      const { name: object } = one.object;
      await journal.record({ do: 'stop', host, deployment, replica, object, reasons: [reason] }, async () => {
        const there = await worldOfInstance(world, hosts, one);
        await targetOf(mark.target.kind).remove(there, one, mark.spec.stop);
        return null;
      });
    }),
  );
  if (instances.length > 0) await move({ do: 'shift', to: null });
}

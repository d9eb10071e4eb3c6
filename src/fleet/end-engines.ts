import type { Instance } from '../domain/instance.ts';
import type { World } from '../io/world.ts';
import { targetOf } from '../targets/registry.ts';
import { bestEffort } from './apply.ts';
import { worldOfInstance } from './hosts.ts';
import type { Hosts } from './hosts.ts';
import { urlOf } from './ready.ts';
import type { Traffic } from './traffic.ts';

export interface Ending {
  readonly instances: readonly Instance[];
  readonly hosts: Hosts;
  readonly traffic: Traffic;
  readonly onProgress: (line: string) => void;
}

const drainMs = 120_000;

/**
 * Ends engines side by side: each gets no new request first, and its open ones their time. A running control process then forgets
 * them, so that it starts none again; whoever calls this holds the hosts' locks, which keeps it from doing so in between.
 */
export async function endEngines(
  world: World,
  { instances, hosts, traffic, onProgress }: Ending,
): Promise<void> {
  const move = bestEffort({ traffic, onProgress });
  await Promise.all(
    instances.map(async (one) => {
      const { mark } = one;
      if (!mark) return;
      const { left } = await move({
        do: 'drain',
        url: urlOf(mark),
        forMs: drainMs + mark.spec.stop.graceMs,
      });
      if (left > 0)
        onProgress(
          `${mark.deployment} (${one.object.name}) still serves ${left} requests, which are cut off`,
        );
      onProgress(`Stopping ${mark.deployment} (${one.object.name})`);
      await targetOf(mark.target.kind).remove(await worldOfInstance(world, hosts, one), one, mark.spec.stop);
    }),
  );
  if (instances.length > 0) await move({ do: 'shift', to: null });
}

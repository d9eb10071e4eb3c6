import { definedServer } from '../audit/gather/defined-server.ts';
import type { Entry, Refused } from '../fleet/adopt/entries.ts';
import { workloadEntries } from '../fleet/adopt/workload-entry.ts';
import { worldOfHost } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { World } from '../io/world.ts';
import { foreignWorkloads } from '../targets/kubernetes/foreign.ts';

/** What runs in the namespace of that host of the fleet file, as entries of it, and what cannot be one. */
export async function adoptableInCluster(
  world: World,
  { hosts, deployments, models }: LoadedFleet,
  name: string,
): Promise<{ entries: Entry[]; refused: Refused[] }> {
  const there = await worldOfHost(world, hosts, name);
  const { workloads, services, hidden } = await foreignWorkloads(there);
  const { entries, refused } = workloadEntries(workloads, {
    deployments: new Set(deployments.map((one) => one.name)),
    models: new Set(Object.keys(models)),
    services,
    serverOf: ({ image, command, args, env }) =>
      definedServer({
        image: image ?? null,
        command: command ?? [],
        args: args ?? [],
        // That there is a key counts, though nobody here may see it.
        env: Object.fromEntries(
          (env ?? []).map((one) => [one.name, one.valueFrom ? '***' : (one.value ?? '')]),
        ),
      }),
  });
  const unseen = hidden.map((kind) => ({
    server: `${kind}s`,
    reason: 'the cluster does not let berth list them',
  }));
  return { entries, refused: [...refused, ...unseen] };
}

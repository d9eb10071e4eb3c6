import { machineOf } from '../../domain/host-access.ts';
import type { KeptPlace, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { accessOf, worldOfHost } from '../file/hosts.ts';
import type { Hosts } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { instancesOf } from '../observe/observe.ts';
import type { Sight } from '../observe/observe.ts';
import { placesKept } from './ran-states.ts';

/**
 * Hosts by whose names the fleet's own folders are reached, each folder by one, but for those of which something may go on unseen by any
 * host that has the same. A cluster's lie on the machine that berth runs on. Pure.
 */
export function foldersSeen(
  { machine: here }: Pick<World, 'machine'>,
  hosts: Hosts,
  goesOn: (host: string) => boolean,
): string[] {
  const machines = new Map<string, string | null>();
  for (const [name, host] of Object.entries(hosts)) {
    const machine = host.kubernetes ? here : machineOf(accessOf(host));
    const known = machines.get(machine);
    machines.set(machine, known === null || goesOn(name) ? null : (known ?? name));
  }
  return [...machines.values()].filter((name) => name !== null);
}

/**
 * The plan with places of which something is kept though the file no longer has them and nothing is there to be stopped, as of an engine
 * that had crashed or was unloaded. None where it is not known what runs.
 */
export async function withLeft(
  world: World,
  plan: Plan,
  { loaded, observed }: { loaded: LoadedFleet; observed: Sight },
): Promise<Plan> {
  const marks = instancesOf(observed, loaded).map(({ mark }) => mark);
  const seen = foldersSeen(world, loaded.hosts, (host) => observed.hosts.get(host)?.mute.size !== 0);
  const found = await Promise.all(seen.map((host) => keptOn(world, loaded, host)));
  const forgets = found.flat().filter(({ deployment, replica }) => {
    const stated = loaded.deployments.find(({ name }) => name === deployment)?.replicas ?? 0;
    const isThere = marks.some((mark) => mark?.deployment === deployment && mark.replica === replica);
    return replica >= stated && !isThere;
  });
  if (forgets.length === 0) return plan;
  const hosts = Object.fromEntries(forgets.map(({ host }) => [host, accessOf(loaded.hosts[host])]));
  return { ...plan, hosts: { ...plan.hosts, ...hosts }, forgets };
}

async function keptOn(world: World, loaded: LoadedFleet, host: string): Promise<KeptPlace[]> {
  const there = await worldOfHost(world, loaded.hosts, host);
  // A folder that cannot be read, as of another user, keeps nobody from a plan.
  const kept = await placesKept(there, { fleet: loaded.fleet, fleetId: loaded.fleetId }).catch(() => []);
  return kept.map(({ deployment, replica }) => ({ host, deployment, replica }));
}

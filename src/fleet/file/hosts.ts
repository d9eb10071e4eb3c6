import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { HostAccess } from '../../domain/host-access.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';

/** What of a host of the file says how it is reached. */
type Host = Pick<HostAccess, 'become' | 'ssh' | 'kubernetes'>;

export type Hosts = Readonly<Record<string, Host>>;

/** What a plan carries of a host. */
export function accessOf(host: Host | undefined): HostAccess {
  return {
    become: host?.become ?? 'none',
    ...(host?.ssh === undefined ? {} : { ssh: host.ssh }),
    ...(host?.kubernetes === undefined ? {} : { kubernetes: host.kubernetes }),
  };
}

/** The world of a host, made from that of the machine that berth runs on. Throws why it cannot be reached. */
export async function worldOn(world: World, access: HostAccess | undefined): Promise<World> {
  const machine = machineOf(access);
  // Loaded when a cluster is asked: reading a file that names one starts no client.
  if (access?.kubernetes)
    return (await import('../../kube/cluster-world.ts')).clusterWorld(world, access.kubernetes);
  const reached = machine === world.machine ? world : await world.open(machine);
  return { ...reached, become: access?.become ?? 'none' };
}

/** The world of a host of the file. */
export function worldOfHost(world: World, hosts: Hosts, name: string): Promise<World> {
  return worldOn(world, accessOf(hosts[name]));
}

/** The name, among the file's, of the host that an object was seen on. Of several for one machine, the one that may do most. */
export function hostNameOf(hosts: Hosts, { host: machine }: Pick<Instance, 'host'>): string {
  const names = Object.keys(hosts).filter((name) => machineOf(hosts[name]) === machine);
  return (
    names.find((name) => hosts[name]?.become === 'sudo') ?? names.find((name) => name !== 'local') ?? 'local'
  );
}

/** The world of the host that an object was seen on. */
export function worldOfInstance(
  world: World,
  hosts: Hosts,
  instance: Pick<Instance, 'host'>,
): Promise<World> {
  return worldOfHost(world, hosts, hostNameOf(hosts, instance));
}

/** Names the machine on what its targets saw; they do not know which one it is. */
export function seenOn({ machine }: World, instance: Instance): Instance {
  if (machine === thisMachine) return instance;
  return { ...instance, host: machine, object: { ...instance.object, on: machine } };
}

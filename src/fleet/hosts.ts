import type { Host } from '../domain/fleet.ts';
import type { HostAccess } from '../domain/host-access.ts';
import type { Instance } from '../domain/instance.ts';
import type { World } from '../io/world.ts';

type Hosts = Readonly<Record<string, Host>>;

/** What a plan carries of a host. */
export function accessOf(host: Host | undefined): HostAccess {
  return { become: host?.become ?? 'none' };
}

/** The world of a host, made from that of the machine that berth runs on. */
export function worldOn(world: World, access: HostAccess | undefined): World {
  return { ...world, become: access?.become ?? 'none' };
}

/** The name, among the file's, of the host that an object was seen on. Of several for one machine, the one that may do most. */
export function hostNameOf(hosts: Hosts, _instance: Pick<Instance, 'host'>): string {
  const names = Object.keys(hosts);
  return (
    names.find((name) => hosts[name]?.become === 'sudo') ?? names.find((name) => name !== 'local') ?? 'local'
  );
}

/** The world of the host that an object was seen on. */
export function worldOfInstance(world: World, hosts: Hosts, instance: Pick<Instance, 'host'>): World {
  return worldOn(world, accessOf(hosts[hostNameOf(hosts, instance)]));
}

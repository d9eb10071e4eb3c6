import { machineOf } from '../domain/host-access.ts';
import type { ClusterPlace } from '../domain/host-access.ts';
import { kubeApi } from '../io/kube/kube-api.ts';
import { kubeAccess } from '../io/kube/kube-config.ts';
import type { World } from '../io/world.ts';
import type { Place } from './client.ts';
import { guarded } from './lease-guard.ts';
import { podHttp } from './pod-http.ts';
import { leaseLocks } from './lease-locks.ts';

/** The world of a cluster: nobody is asked yet. */
export function clusterWorld(world: World, cluster: ClusterPlace): Promise<World> {
  const home = world.home ?? world;
  const there: World = {
    ...home,
    machine: machineOf({ become: 'none', kubernetes: cluster }),
    become: 'none',
    cluster,
    home,
  };
  return Promise.resolve({
    ...there,
    http: podHttp(home.http, home.clock, () => placeOf(there)),
    locks: leaseLocks(home.clock, {
      createNamespace: cluster.createNamespace,
      placeOf: async () => (await clientOf(there)).plain,
    }),
  });
}

const clients = new Map<string, { plain: Place; guarded: Place }>();

/** Its namespace, to be asked. The kubeconfig is read each time, since others write it; connections are kept. */
export async function placeOf(world: World): Promise<Place> {
  return (await clientOf(world)).guarded;
}

/** `plain`: for the lock itself, which the other is guarded by. */
async function clientOf(world: World): Promise<{ plain: Place; guarded: Place }> {
  const { cluster } = world;
  if (!cluster) throw new Error(`${world.machine} is no cluster.`);
  const access = await kubeAccess(world, { context: cluster.context, file: cluster.kubeconfig });
  const { namespace } = cluster;
  const key = JSON.stringify([access, namespace]);
  const known = clients.get(key);
  if (known) return known;
  const api = kubeApi(world, access);
  const made = { plain: { api, namespace }, guarded: { api: guarded(api, namespace), namespace } };
  clients.set(key, made);
  return made;
}

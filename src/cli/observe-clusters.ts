import type { Observation } from '../domain/audit/observation.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { worldOfHost } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { CliContext } from './context.ts';

type Hosts = LoadedFleet['hosts'];

/** Contexts of kubectl as hosts, for who has no fleet file. */
export function contextHosts(contexts: readonly string[]): Hosts {
  return Object.fromEntries(
    contexts.map((context) => [
      context,
      {
        become: 'none' as const,
        reserve: [],
        kubernetes: { context, namespace: 'default', createNamespace: false },
      },
    ]),
  );
}

/** Every cluster once: all of its namespaces where rights allow that, else those that are named. */
export async function clustersOf(context: CliContext, hosts: Hosts): Promise<Observation['clusters']> {
  const names = Object.keys(hosts).filter((name) => hosts[name]?.kubernetes !== undefined);
  if (names.length === 0) return [];
  const byContext = Map.groupBy(names, (name) => {
    const { context: of, kubeconfig } = hosts[name]?.kubernetes ?? {};
    return JSON.stringify([of, kubeconfig]);
  });
  const found = await Promise.all([...byContext.values()].map((one) => clusterOf(context, hosts, one)));
  return found.flat();
}

async function clusterOf(
  { world, output }: CliContext,
  hosts: Hosts,
  names: readonly string[],
): Promise<Observation['clusters']> {
  const { observeCluster } = await import('../audit/gather/observe-cluster.ts');
  const [first = ''] = names;
  try {
    return [await observeCluster(await worldOfHost(world, hosts, first), first, { everywhere: true })];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    if (error.code === 'KUBE_FORBIDDEN')
      output.progress(`Of ${first} only the namespaces that are named are looked at: others are not shown.`);
  }
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return [await observeCluster(await worldOfHost(world, hosts, name), name)];
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        // Half of a namespace would give false findings.
        output.progress(`The objects of ${name} were not looked at: ${error.message} ${error.cure}`);
        return [];
      }
    }),
  );
  return found.flat();
}

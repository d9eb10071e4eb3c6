import type { Observation } from '../domain/audit/observation.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { worldOfHost } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { CliContext } from './context.ts';

type Hosts = LoadedFleet['hosts'];
type ReachOf = (name: string) => Observation['clusters'][number]['reach'];

/** Contexts of kubectl as hosts, for who has no fleet file. */
function contextHosts(contexts: readonly string[]): Hosts {
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

function isCluster(host: Hosts[string] | undefined, context: string): boolean {
  return host?.kubernetes?.context === context;
}

/** Every cluster once: all of its namespaces where rights allow that, else those that are named. */
export async function clustersOf(
  context: CliContext,
  ofFile: Hosts,
  contexts: readonly string[],
): Promise<Observation['clusters']> {
  const hosts = { ...ofFile, ...contextHosts(contexts.filter((one) => !isCluster(ofFile[one], one))) };
  function reachOf(name: string): Observation['clusters'][number]['reach'] {
    const of = hosts[name]?.kubernetes?.context;
    return of === undefined ? null : { host: isCluster(ofFile[name], of) ? name : null, context: of };
  }
  const names = Object.keys(hosts).filter((name) => hosts[name]?.kubernetes !== undefined);
  if (names.length === 0) return [];
  const byContext = Map.groupBy(names, (name) => {
    const { context: of, kubeconfig } = hosts[name]?.kubernetes ?? {};
    return JSON.stringify([of, kubeconfig]);
  });
  const found = await Promise.all(
    [...byContext.values()].map((one) => clusterOf(context, { hosts, names: one, reachOf })),
  );
  return found.flat();
}

async function clusterOf(
  { world, output }: CliContext,
  { hosts, names, reachOf }: { hosts: Hosts; names: readonly string[]; reachOf: ReachOf },
): Promise<Observation['clusters']> {
  const { observeCluster } = await import('../audit/gather/observe-cluster.ts');
  function told(seen: Observation['clusters'][number]): Observation['clusters'][number] {
    if (seen.unseen.length > 0)
      output.progress(
        `Of ${seen.name} these kinds are not shown, so that no claim is called unused: ${seen.unseen.join(', ')}.`,
      );
    return seen;
  }
  const [first = ''] = names;
  try {
    const there = await worldOfHost(world, hosts, first);
    return [told(await observeCluster(there, first, { everywhere: true, reach: reachOf(first) }))];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    if (error.code === 'KUBE_FORBIDDEN')
      output.progress(`Of ${first} only the namespaces that are named are looked at: others are not shown.`);
  }
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        const there = await worldOfHost(world, hosts, name);
        return [told(await observeCluster(there, name, { reach: reachOf(name) }))];
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

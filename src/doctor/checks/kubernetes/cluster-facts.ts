import { z } from 'zod';
import { parseJson } from '../../../domain/json.ts';
import type { ExecResult } from '../../../io/exec.ts';
import { findProgram } from '../../../io/find-program.ts';
import type { World } from '../../../io/world.ts';
import type { Wants } from '../../contract.ts';

const Items = z.object({
  items: z.array(
    z.looseObject({
      metadata: z.object({
        name: z.string(),
        annotations: z.record(z.string(), z.string()).nullish(),
        labels: z.record(z.string(), z.string()).nullish(),
      }),
      status: z
        .object({
          allocatable: z.record(z.string(), z.string()).nullish(),
          state: z.string().nullish(),
          releases: z.array(z.object({ name: z.string(), version: z.string().nullish() })).nullish(),
        })
        .nullish(),
      spec: z
        .object({
          versions: z.array(z.object({ name: z.string() })).nullish(),
          template: z
            .object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) })
            .nullish(),
        })
        .nullish(),
    }),
  ),
});
export type Items = z.infer<typeof Items>['items'];

/** What of a cluster is judged. A list is null where this user may not see it, or the cluster has no such kind. */
export interface ClusterFacts {
  /** Files with clusters and how to enter them. */
  readonly configs: readonly string[];
  /** Those that are named, or usual, and are not there. */
  readonly missing: readonly string[];
  readonly kubectl: string | null;
  /** Version of the server; null where it does not answer, which `fault` tells. */
  readonly server: string | null;
  readonly fault: string;
  readonly nodes: Items | null;
  readonly storage: Items | null;
  readonly definitions: Items | null;
  /** What NVIDIA's GPU Operator is told to do, and how far it is. */
  readonly gpuPolicies: Items | null;
  /** Deployments of KServe's controller. */
  readonly kserve: Items | null;
  /** What OpenShift AI and Open Data Hub say of the KServe that they install, whose images have no tags. */
  readonly kserveOfHub: Items | null;
  /** What may not be done in the namespace. */
  readonly denied: readonly Right[];
}

export interface Right {
  readonly verb: string;
  readonly resource: string;
}

const verbs = ['get', 'list', 'create', 'patch', 'update', 'delete'] as const;
/** The lock of a namespace, which is taken by writing all of it: without it nothing is changed there. */
export const leases = 'leases.coordination.k8s.io';

/** What berth does with objects of a kind. Pure. */
function isDone(verb: (typeof verbs)[number], resource: string): boolean {
  return resource === leases ? verb !== 'list' && verb !== 'patch' : verb !== 'update';
}

/** What berth makes in every cluster, and keeps there for itself. */
const everywhere = [
  'services',
  'secrets',
  'persistentvolumeclaims',
  'ingresses.networking.k8s.io',
  'networkpolicies.networking.k8s.io',
  leases,
] as const;
const ofKserve = ['inferenceservices.serving.kserve.io', 'servingruntimes.serving.kserve.io'] as const;

/** What a fleet's targets make in the namespace; without a fleet, what any of plain Deployments does. Pure. */
function resourcesOf({ targets, givesFiles }: Wants): string[] {
  const plain = targets.includes('kubernetes') || !targets.includes('kserve');
  return [
    ...(plain ? ['deployments.apps'] : []),
    ...(targets.includes('kserve') ? ofKserve : []),
    ...(targets.includes('kserve') || givesFiles ? ['configmaps'] : []),
    ...everywhere,
  ];
}

/** Asks the cluster that the fleet file names, else the usual one of kubectl. */
export async function clusterFacts(world: World, wants: Wants): Promise<ClusterFacts> {
  const { cluster } = wants;
  const { configs, missing } = await waysIn(world, cluster);
  const kubectl = await findProgram(world, 'kubectl');
  const none = {
    configs,
    missing,
    kubectl,
    server: null,
    fault: '',
    nodes: null,
    storage: null,
    definitions: null,
    gpuPolicies: null,
    kserve: null,
    kserveOfHub: null,
    denied: [],
  };
  if (configs.length === 0 || kubectl === null) return none;
  const place = placeArgs(cluster);
  function ask(args: readonly string[]): Promise<ExecResult> {
    return world.exec.run([kubectl ?? '', ...args, ...place, '--request-timeout=8s'], { timeoutMs: 20_000 });
  }
  const version = await ask(['version', '-o', 'json']);
  const Version = z.object({ serverVersion: z.object({ gitVersion: z.string() }).nullish() });
  const server = Version.safeParse(parseJson(version.stdout)).data?.serverVersion?.gitVersion ?? null;
  if (server === null) return { ...none, fault: version.stderr.trim().split('\n').at(-1) ?? '' };
  async function list(...what: string[]): Promise<Items | null> {
    return itemsOf((await ask(['get', ...what, '-o', 'json'])).stdout);
  }
  async function deniedOf(resources: readonly string[]): Promise<Right[]> {
    const denied: Right[] = [];
    // Verb by verb: each question is a program of its own.
    for (const verb of verbs) {
      const done = resources.filter((what) => isDone(verb, what));
      const answers = await Promise.all(done.map((what) => ask(['auth', 'can-i', verb, what])));
      denied.push(
        ...done
          .filter((_, i) => /^no\b/.test(answers[i]?.stdout ?? ''))
          .map((resource) => ({ verb, resource })),
      );
    }
    return denied;
  }
  const [nodes, storage, definitions, gpuPolicies, kserve, kserveOfHub, denied] = await Promise.all([
    list('nodes'),
    list('storageclasses'),
    list('customresourcedefinitions'),
    list('clusterpolicies.nvidia.com'),
    list('deployments', '--all-namespaces', '--selector=control-plane=kserve-controller-manager'),
    list('kserves.components.platform.opendatahub.io'),
    deniedOf(resourcesOf(wants)),
  ]);
  return { ...none, server, nodes, storage, definitions, gpuPolicies, kserve, kserveOfHub, denied };
}

async function waysIn(
  { env, files }: World,
  cluster: Wants['cluster'],
): Promise<Pick<ClusterFacts, 'configs' | 'missing'>> {
  const named = env['KUBECONFIG']?.split(':').filter((path) => path !== '');
  const usual = `${env['HOME'] ?? ''}/.kube/config`;
  const configs: string[] = [];
  const missing: string[] = [];
  for (const path of (cluster?.kubeconfig === undefined ? named : [cluster.kubeconfig]) ?? [usual])
    ((await files.stat(path))?.isFile ? configs : missing).push(path);
  if (cluster?.context === 'in-cluster' && env['KUBERNETES_SERVICE_HOST'])
    configs.push('the account of this pod');
  return { configs, missing };
}

/** The cluster that the file names; without one, the usual one of kubectl. */
function placeArgs(cluster: Wants['cluster']): string[] {
  if (cluster === null) return [];
  const { context, kubeconfig, namespace } = cluster;
  return [
    ...(context === 'in-cluster' ? [] : [`--context=${context}`]),
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    `--namespace=${namespace}`,
  ];
}

function itemsOf(text: string | undefined): Items | null {
  return Items.safeParse(parseJson(text ?? '')).data?.items ?? null;
}

import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import { findProgram } from '../../io/find-program.ts';
import type { ExecResult } from '../../io/exec.ts';
import type { World } from '../../io/world.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';
import type { Verdict, Wants } from '../contract.ts';

const Items = z.object({
  items: z.array(
    z.looseObject({
      metadata: z.object({
        name: z.string(),
        annotations: z.record(z.string(), z.string()).nullish(),
      }),
      status: z.object({ allocatable: z.record(z.string(), z.string()).nullish() }).nullish(),
      spec: z.object({ versions: z.array(z.object({ name: z.string() })).nullish() }).nullish(),
    }),
  ),
});
type Items = z.infer<typeof Items>['items'];

interface Facts {
  /** Files with clusters and how to enter them. */
  readonly configs: readonly string[];
  readonly kubectl: string | null;
  /** Version of the server; null where it does not answer, which `fault` tells. */
  readonly server: string | null;
  readonly fault: string;
  readonly nodes: Items | null;
  readonly storage: Items | null;
  readonly definitions: Items | null;
  /** What may not be done in the usual namespace. */
  readonly denied: readonly string[];
}

/** What berth makes in a cluster. */
const wantedRights = ['deployments.apps', 'services', 'persistentvolumeclaims', 'secrets'] as const;

export const kubernetes = defineCheck<'kubernetes', Facts>({
  kind: 'kubernetes',
  title: 'Kubernetes',
  cluster: true,
  gather,
  judge: (facts, { cluster }) => {
    if (facts.configs.length === 0)
      return [
        cluster !== null
          ? bad('critical', 'The fleet has a cluster, and nothing here says how to enter one.', {
              evidence: ['no KUBECONFIG, no ~/.kube/config'],
              cure: 'Set KUBECONFIG to the file that your cluster gave you.',
            })
          : absent('No kubeconfig is here, and nothing asks for a cluster.'),
      ];
    if (facts.kubectl === null)
      return [
        bad('info', 'A kubeconfig is here, and kubectl, by which this check asks, is not.', {
          evidence: facts.configs,
          cure: 'Install kubectl to have the cluster looked at too.',
        }),
      ];
    if (facts.server === null)
      return [
        bad(cluster === null ? 'warning' : 'critical', 'The cluster does not answer.', {
          evidence: [...facts.configs, facts.fault],
          cure: 'kubectl cluster-info   tells more; "kubectl config use-context NAME" chooses another cluster.',
        }),
      ];
    return [
      good(`The cluster answers, version ${facts.server}.`, facts.configs),
      ...rights(facts),
      ...gpus(facts),
      ...storage(facts),
      ...kserve(facts),
    ];
  },
});

function rights({ denied }: Facts): Verdict[] {
  if (denied.length === 0) return [];
  return [
    bad('warning', `This user may not create ${denied.join(', ')} there.`, {
      evidence: denied.map((name) => `kubectl auth can-i create ${name}: no`),
      cure: 'Have an administrator bind the role "edit" of the namespace to this user.',
    }),
  ];
}

function gpus({ nodes }: Facts): Verdict[] {
  if (nodes === null) return [];
  const found = nodes.flatMap(({ metadata, status }) =>
    Object.entries(status?.allocatable ?? {})
      .filter(([name, amount]) => /^(nvidia|amd)\.com\/|^gpu\.intel\.com\//.test(name) && amount !== '0')
      .map(([name, amount]) => `${metadata.name}: ${amount} ${name}`),
  );
  if (found.length > 0) return [good('Nodes have GPUs to give.', found)];
  return [
    bad('info', 'No node has a GPU to give.', {
      evidence: nodes.map(({ metadata }) => metadata.name),
      cure: "Where nodes have GPUs: install the vendor's operator (NVIDIA GPU Operator, AMD GPU Operator).",
    }),
  ];
}

const defaultClass = 'storageclass.kubernetes.io/is-default-class';

function storage({ storage: classes }: Facts): Verdict[] {
  if (classes === null) return [];
  const names = classes.map(({ metadata }) => metadata.name);
  const usual = classes.find(({ metadata }) => metadata.annotations?.[defaultClass] === 'true');
  if (usual) return [good(`Claims get storage of the class ${usual.metadata.name}.`, names)];
  return [
    bad('warning', 'No class of storage is the default: claims that name none wait for ever.', {
      evidence: names.length === 0 ? ['no StorageClass'] : names,
      cure: `kubectl annotate storageclass ${names[0] ?? 'NAME'} ${defaultClass}=true`,
    }),
  ];
}

function kserve({ definitions }: Facts): Verdict[] {
  const found = definitions?.find(({ metadata }) => metadata.name === 'inferenceservices.serving.kserve.io');
  if (!found) return definitions === null ? [] : [absent('KServe is not installed in the cluster.')];
  const versions = (found.spec?.versions ?? []).map(({ name }) => name);
  return [good(`KServe is installed (${versions.join(', ')}).`)];
}

async function gather(world: World, { cluster }: Wants): Promise<Facts> {
  const named = world.env['KUBECONFIG']?.split(':').filter((path) => path !== '');
  const usual = `${world.env['HOME'] ?? ''}/.kube/config`;
  const configs: string[] = [];
  for (const path of (cluster?.kubeconfig === undefined ? named : [cluster.kubeconfig]) ?? [usual])
    if ((await world.files.stat(path))?.isFile) configs.push(path);
  const kubectl = await findProgram(world, 'kubectl');
  const none = {
    configs,
    kubectl,
    server: null,
    fault: '',
    nodes: null,
    storage: null,
    definitions: null,
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
  const [nodes, classes, definitions, ...allowed] = await Promise.all([
    ...['nodes', 'storageclasses', 'customresourcedefinitions'].map((what) =>
      ask(['get', what, '-o', 'json']),
    ),
    ...wantedRights.map((what) => ask(['auth', 'can-i', 'create', what])),
  ]);
  return {
    ...none,
    server,
    nodes: itemsOf(nodes?.stdout),
    storage: itemsOf(classes?.stdout),
    definitions: itemsOf(definitions?.stdout),
    denied: wantedRights.filter((_, i) => /^no\b/.test(allowed[i]?.stdout ?? '')),
  };
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

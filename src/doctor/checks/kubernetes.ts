import { clusterFacts, leases } from './kubernetes/cluster-facts.ts';
import type { ClusterFacts as Facts, Items } from './kubernetes/cluster-facts.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';
import type { Verdict, Wants } from '../contract.ts';

type Controller = Items[number];

export const kubernetes = defineCheck<'kubernetes', Facts>({
  kind: 'kubernetes',
  title: 'Kubernetes',
  cluster: true,
  gather: clusterFacts,
  judge: (facts, wants) => {
    const { cluster } = wants;
    if (facts.configs.length === 0)
      return [
        cluster !== null
          ? bad('critical', 'The fleet has a cluster, and nothing here says how to enter one.', {
              evidence: facts.missing.map((path) => `no file ${path}`),
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
    if (facts.server === null && cluster !== null && /^error: context .* does not exist/.test(facts.fault))
      return [
        bad('critical', `The kubeconfig has no context ${cluster.context}.`, {
          evidence: [...facts.configs, facts.fault],
          cure: 'kubectl config get-contexts   names those that it has: write one of them as context of this host.',
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
      ...openshift(facts, wants),
      ...rights(facts, wants),
      ...gpuOperator(facts, wants),
      ...gpus(facts, wants),
      ...storage(facts),
      ...kserve(facts, wants),
    ];
  },
});

/** Without these nothing of the target can be made; the others a fleet may do without. */
const cores: ReadonlyMap<string, string> = new Map([
  ['deployments.apps', 'kubernetes'],
  ['services', 'kubernetes'],
  ['inferenceservices.serving.kserve.io', 'kserve'],
]);

function rights({ denied }: Facts, { targets }: Wants): Verdict[] {
  if (denied.length === 0) return [];
  const needed = denied.some(
    ({ resource }) =>
      targets.includes(cores.get(resource) ?? '') || (resource === leases && targets.length > 0),
  );
  const resources = [...new Set(denied.map(({ resource }) => resource))];
  const lacks = resources.map((name) => {
    const missing = denied.filter(({ resource }) => resource === name).map(({ verb }) => verb);
    return `${missing.join(', ')} ${name}`;
  });
  return [
    bad(needed ? 'critical' : 'warning', `This user may not ${lacks.join('; ')} there.`, {
      evidence: denied.map(({ verb, resource }) => `kubectl auth can-i ${verb} ${resource}: no`),
      cure: 'Have an administrator bind the role "edit" of the namespace to this user, and beside it what that role lacks.',
    }),
  ];
}

const constraints = 'securitycontextconstraints.security.openshift.io';

/** Pods that name a user of their own are refused there. */
function openshift({ definitions }: Facts, { cluster }: Wants): Verdict[] {
  const has = definitions?.some(({ metadata }) => metadata.name === constraints) === true;
  if (!has || cluster === null || cluster.openshift !== undefined) return [];
  return [
    bad('warning', 'The cluster is an OpenShift, and the fleet file does not say so.', {
      evidence: [`definition ${constraints}`],
      cure: 'Write "openshift: true" below "kubernetes" of this host, so that pods leave the choice of their user to it; "false" where they may choose it.',
    }),
  ];
}

/** NVIDIA's says itself whether all of its parts run. */
function gpuOperator({ gpuPolicies }: Facts, { gpus: wanted }: Wants): Verdict[] {
  return (gpuPolicies ?? []).map(({ metadata: { name }, status }) => {
    const state = status?.state ?? 'of no state yet';
    if (state === 'ready') return good('The GPU Operator of NVIDIA is ready.', [`ClusterPolicy ${name}`]);
    return bad(wanted > 0 ? 'critical' : 'warning', 'The GPU Operator of NVIDIA is not ready.', {
      evidence: [`ClusterPolicy ${name}: ${state}`],
      cure: `kubectl describe clusterpolicies.nvidia.com ${name}   tells what it waits for.`,
    });
  });
}

function gpus({ nodes }: Facts, { gpus: wanted }: Wants): Verdict[] {
  if (nodes === null) return [];
  const found = nodes.flatMap(({ metadata, status }) =>
    Object.entries(status?.allocatable ?? {})
      .filter(([name, amount]) => /^(nvidia|amd)\.com\/|^gpu\.intel\.com\//.test(name) && amount !== '0')
      .map(([name, amount]) => ({ node: metadata.name, name, amount })),
  );
  const evidence = found.map(({ node, amount, name }) => `${node}: ${amount} ${name}`);
  const count = found.reduce((sum, { amount }) => sum + Number(amount), 0);
  if (count > 0 && count >= wanted) return [good('Nodes have GPUs to give.', evidence)];
  const cure =
    "Where nodes have GPUs: install the vendor's operator (NVIDIA GPU Operator, AMD GPU Operator).";
  if (count > 0)
    // Nodes may be added as pods ask for them.
    return [
      bad('warning', `The engines there want ${gpusText(wanted)}, and nodes have ${count} to give.`, {
        evidence,
        cure: 'Add nodes, or let less run there.',
      }),
    ];
  const names = nodes.map(({ metadata }) => metadata.name);
  return wanted > 0
    ? [
        bad('critical', `The engines there want ${gpusText(wanted)}, and no node has one to give.`, {
          evidence: names.length === 0 ? ['no node'] : names,
          cure,
        }),
      ]
    : [bad('info', 'No node has a GPU to give.', { evidence: names, cure })];
}

function gpusText(count: number): string {
  return count === 1 ? '1 GPU' : `${count} GPUs`;
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

function kserve({ definitions, kserve: controllers, kserveOfHub }: Facts, { targets }: Wants): Verdict[] {
  const wanted = targets.includes('kserve');
  if (definitions === null)
    return wanted
      ? [
          bad('info', 'Whether KServe is installed could not be seen.', {
            evidence: ['kubectl get customresourcedefinitions: no list'],
            cure: 'kubectl api-resources --api-group=serving.kserve.io   names its kinds where it is installed.',
          }),
        ]
      : [];
  const found = definitions.find(({ metadata }) => metadata.name === 'inferenceservices.serving.kserve.io');
  if (!found)
    return [
      wanted
        ? bad('critical', 'The fleet wants KServe, and the cluster does not have it.', {
            evidence: ['no definition inferenceservices.serving.kserve.io'],
            cure: 'Have an administrator install KServe, or give these deployments the target kubernetes.',
          })
        : absent('KServe is not installed in the cluster.'),
    ];
  const told = controllers?.map(versionOf).find((one) => one !== null);
  const version = told ?? kserveOfHub?.map(releaseOf).find((one) => one !== null);
  const apis = (found.spec?.versions ?? []).map(({ name }) => name).join(', ');
  return version === undefined
    ? [good(`KServe is installed (${apis}); its version is not shown.`)]
    : [good(`KServe ${version} is installed (${apis}).`, controllers?.flatMap(imagesOf))];
}

function releaseOf({ status }: Controller): string | null {
  return status?.releases?.find(({ name }) => /^kserve$/i.test(name))?.version || null;
}

/** By its label, else by the tag of its image; null where neither tells. */
function versionOf(controller: Controller): string | null {
  const label = controller.metadata.labels?.['app.kubernetes.io/version'];
  const tags = imagesOf(controller).flatMap((image) => {
    const version = /kserve-controller[^/:@]*:(v?\d+\.\d+[^@]*)/.exec(image)?.[1];
    return version ?? [];
  });
  return label ?? tags[0] ?? null;
}

function imagesOf({ spec }: Controller): string[] {
  return (spec?.template?.spec.containers ?? []).map(({ image }) => image);
}

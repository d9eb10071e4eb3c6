import type { Foreseen } from '../../domain/foresight.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { KubernetesOptions } from './options.ts';

/** What of a Deployment is at odds with what stands beside it; the cluster takes it all the same. Pure. */
export function foresee(spec: LaunchSpec, options: KubernetesOptions, replicas: number): Foreseen[] {
  return [...volumesOfOneNode(spec, options, replicas), ...shutOut(options)];
}

/** Pods that the scheduler may put on several nodes, on a volume that one node has at a time. */
function volumesOfOneNode(spec: LaunchSpec, options: KubernetesOptions, replicas: number): Foreseen[] {
  if ((options.node ?? spec.node) !== undefined) return [];
  const scaled = options.autoscale?.max ?? 1;
  const keeps = spec.writable.length + Object.keys(spec.caches ?? {}).length > 0;
  const volumes = [
    // Each replica has a cache of its own, which all of its pods share.
    ...(keeps && options.cache?.access === 'ReadWriteOnce'
      ? [{ what: 'its cache', pods: scaled, at: 'target.cache' }]
      : []),
    ...(spec.fetched?.access === 'ReadWriteOnce'
      ? [
          {
            what: `the claim ${spec.fetched.claim}`,
            pods: scaled * replicas,
            at: 'models.NAME.at.HOST.fetch',
          },
        ]
      : []),
  ];
  return volumes
    .filter(({ pods }) => pods > 1)
    .map(({ what, pods, at }) => ({
      rule: 'volume-of-one-node',
      message: `It may have ${pods} pods, and ${what} is of one node at a time (ReadWriteOnce): a pod that gets another node never starts.`,
      evidence: [`${at}.access ReadWriteOnce`, `${pods} pods`],
      cure: `Write access: ReadWriteMany under ${at}, with a storageClass that has it (a claim that is there stays as it was made: remove it first); or name one node for all of them (target.node).`,
    }));
}

/** Whoever is behind these asks the pods from elsewhere, and a policy that does not name him keeps him out. */
function shutOut({ allowFrom, monitor, ingress, httpRoute }: KubernetesOptions): Foreseen[] {
  if (!allowFrom) return [];
  const askers = [
    { key: 'monitor', said: monitor, who: 'Prometheus', usual: 'monitoring', lost: 'no metrics are read' },
    {
      key: 'ingress',
      said: ingress,
      who: 'its controller',
      usual: usualNamespace(ingress?.class),
      lost: 'its clients get no answer',
    },
    {
      key: 'httpRoute',
      said: httpRoute,
      who: 'the proxy of its Gateway',
      usual: httpRoute?.gatewayNamespace ?? 'NAMESPACE',
      lost: 'its clients get no answer',
    },
  ];
  return askers.flatMap(({ key, said, who, usual, lost }) => {
    if (!said || said.from) return [];
    return [
      {
        rule: 'shut-out',
        message: `target.allowFrom lets in the gateway and whom it names, and target.${key} does not say where ${who} runs: where that is not among them, ${lost}.`,
        evidence: [`target.allowFrom`, `target.${key}`],
        cure: `Write from: {namespace: {kubernetes.io/metadata.name: ${usual}}} under target.${key}, with the namespace that ${who} runs in.`,
      },
    ];
  });
}

/** Where the controllers of these classes are put by their own charts. */
function usualNamespace(name: string | undefined): string {
  if (name === 'nginx') return 'ingress-nginx';
  return name === 'traefik' ? 'traefik' : 'NAMESPACE';
}

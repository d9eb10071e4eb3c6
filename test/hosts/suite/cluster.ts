import { until } from '../../support/berth.ts';
import { llamaTree } from '../container-box.ts';
import { llamaImage, llamaProgram, setGpus, startCluster } from '../kube-box.ts';
import type { KubeBox } from '../kube-box.ts';
import { nodeOf, objectsIn, processesOfPod } from '../kube-inventory.ts';
import type { SuiteHost } from './contract.ts';
import { filesIn, processesOf } from './inventory.ts';

/** What differs between the two ways of running engines in a cluster. */
export interface ClusterPart {
  readonly box: KubeBox;
  readonly folder: string;
  readonly namespace: string;
  /** Labels by which the pods of a deployment are found. */
  readonly labels: (deployment: string) => string;
  readonly stop: () => void | Promise<void>;
}

/** How the suite's image is run, as keys of a target. */
export const podKeys = `image: "${llamaImage}", entrypoint: ${JSON.stringify(llamaProgram)}`;

export function podEngine(): string {
  return `env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}`;
}

/** A namespace of its own, and a node that says it had one GPU: whoever asks for that is replaced in its place. */
export async function clusterFor(namespace: string): Promise<KubeBox> {
  const box = await startCluster();
  box.kubectl('create', 'namespace', namespace);
  // The control plane makes these in each namespace, a moment later.
  const own = ['serviceaccount/default', 'configmap/kube-root-ca.crt'];
  await until(() => {
    const there = box.kubectl('-n', namespace, 'get', 'serviceaccounts,configmaps', '-o', 'name');
    return own.every((name) => there.includes(name));
  }, 'the objects of every namespace');
  setGpus(box.kubectl, 1);
  return box;
}

/** All of a host that both have in common. */
export function clusterHost(part: ClusterPart): Omit<SuiteHost, 'deployments'> {
  const { box, folder, namespace } = part;
  return {
    before: [],
    beforeThere: [],
    env: { KUBECONFIG: box.kubeconfig },
    more: [`hosts: {box: {kubernetes: {context: box, namespace: ${namespace}}}}`],
    kill: (_replica, deployment) => {
      const uids = box
        .kubectl(
          '-n',
          namespace,
          'get',
          'pods',
          '-l',
          part.labels(deployment),
          '-o',
          'jsonpath={.items[*].metadata.uid}',
        )
        .split(' ');
      for (const pid of uids.flatMap((uid) => processesOfPod(uid, 'toy.gguf'))) process.kill(pid, 'SIGKILL');
      return Promise.resolve();
    },
    inventory: () => [...objectsIn(box), ...nodeOf(box), ...processesOf(folder), ...filesIn(folder)],
    removesLater: true,
    inCluster: true,
    stop: async () => {
      await part.stop();
      box.stop();
    },
  };
}

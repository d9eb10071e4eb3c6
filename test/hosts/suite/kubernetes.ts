import { missingForCluster } from '../kube-box.ts';
import { clusterFor, clusterHost, podEngine, podKeys } from './cluster.ts';
import type { SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';

const namespace = 'suite';

/** Deployments of a real cluster: control plane, kubelet and containerd. */
export const kubernetesTarget: SuiteTarget = {
  name: 'kubernetes',
  missing: missingForCluster,
  start: async (folder) => {
    const box = await clusterFor(namespace);
    const of = { target: `{kind: kubernetes, pull: Never, preStop: 0, ${podKeys}}`, engine: podEngine() };
    return {
      ...clusterHost({
        box,
        folder,
        namespace,
        labels: (name) => `app.kubernetes.io/instance=${name}`,
        stop: () => {},
      }),
      deployments: [
        llamaDeployment({ name: 'llama', ...of }),
        llamaDeployment({ name: 'gpu', gpus: 1, inPlace: true, ...of }),
      ],
    };
  },
};

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterPlace } from '../../../src/domain/host-access.ts';
import { localWorld } from '../../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../../src/kube/cluster-world.ts';
import { claimOf } from '../kserve-claim.ts';
import { addKserve, missingForKserve, startStandIn } from '../kserve-stand-in.ts';
import { clusterFor, clusterHost, podEngine, podKeys } from './cluster.ts';
import type { SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';

const namespace = 'suite-kserve';

/** InferenceServices by KServe's own definitions, and a stand-in of ours for its controller. */
export const kserveTarget: SuiteTarget = {
  name: 'kserve',
  note: 'with a stand-in for its controller',
  missing: missingForKserve,
  start: async (folder) => {
    const box = await clusterFor(namespace);
    await addKserve(box);
    const file = join(folder, 'claim.json');
    writeFileSync(file, JSON.stringify(claimOf(folder, namespace)));
    box.kubectl('apply', '-f', file);
    const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
    const standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
    const of = { target: `{kind: kserve, format: gguf, ${podKeys}}`, engine: podEngine() };
    return {
      ...clusterHost({
        box,
        folder,
        namespace,
        labels: (name) => `serving.kserve.io/inferenceservice=${name}`,
        stop: standIn.stop,
      }),
      modelAt: `at: {box: {pvc: weights, path: toy.gguf}}`,
      deployments: [
        // KServe itself ends the old pod, so requests are kept away from it before.
        llamaDeployment({ name: 'llama', inPlace: true, ...of }),
        llamaDeployment({ name: 'gpu', gpus: 1, inPlace: true, ...of }),
      ],
    };
  },
};

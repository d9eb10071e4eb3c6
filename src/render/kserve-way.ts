import { fleetIdLabel, fleetLabel } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import { withSubjects } from '../kube/subjects.ts';
import { kserveTarget } from '../targets/kserve.ts';
import { isKnative } from '../targets/kserve/knative-spec.ts';
import { manifestsOf } from '../targets/kserve/manifests.ts';
import { markObject } from '../targets/kserve/marks.ts';
import { KserveOptions, optionsOf as optionsOfMark } from '../targets/kserve/options.ts';
import { storageName } from '../targets/kserve/storage-secret.ts';
import { hasOwnKeys } from '../targets/kserve/storage.ts';
import type { ClusterWay } from './cluster-way.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';

function optionsOf({ target }: RenderedDeployment): KserveOptions {
  return target.kind === 'kserve'
    ? (target as unknown as KserveOptions)
    : KserveOptions.parse({ kind: 'kserve' });
}

/** An InferenceService with the runtime that is made for it, and its mark. */
export const kserveWay = {
  kind: 'kserve',
  optionsOf,
  refuses: (deployment) => kserveTarget.refuses(deployment.spec, optionsOf(deployment)),
  objectsOf: (mark, namespace) => {
    const sent = manifestsOf(mark, optionsOfMark(mark));
    return [...sent, markObject(mark, sent)].map((object) => placed(object, namespace));
  },
  needsOf: storageNeeds,
  // A service of Knative carries a hash of all that it says, its own name included, which no template can tell.
  canBeCounted: (deployment) => !isKnative(optionsOf(deployment)),
} as const satisfies ClusterWay;

function placed(object: KubeObject, namespace: string | null): KubeObject {
  if (namespace === null) return object;
  return withSubjects({ ...object, metadata: { ...object.metadata, namespace } }, namespace);
}

/** The Secrets by which KServe fetches from S3, as "berth apply" would make them. */
function storageNeeds(
  { name, replicas, spec }: RenderedDeployment,
  { fleet, fleetId, namespace }: Pick<RenderInput, 'fleet' | 'fleetId' | 'namespace'>,
): string[] {
  const keys = {
    AWS_ACCESS_KEY_ID: '$AWS_ACCESS_KEY_ID',
    AWS_SECRET_ACCESS_KEY: '$AWS_SECRET_ACCESS_KEY',
  };
  return Array.from({ length: hasOwnKeys(spec) ? replicas : 0 }, (_, replica) => {
    const meta = {
      name: storageName({ deployment: name, replica }),
      ...(namespace === null ? {} : { namespace }),
      labels: { [fleetLabel]: fleet, [fleetIdLabel]: fleetId },
    };
    const place = namespace === null ? '' : ` -n ${namespace}`;
    return `${name} needs a Secret: ${secretCommands(meta, keys)}; kubectl annotate secret ${meta.name}${place} serving.kserve.io/s3-endpoint=HOST:PORT serving.kserve.io/s3-usehttps=1`;
  });
}

import { fleetIdLabel, fleetLabel } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import { kserveTarget } from '../targets/kserve.ts';
import { manifestsOf } from '../targets/kserve/manifests.ts';
import { KserveOptions } from '../targets/kserve/options.ts';
import { storageName } from '../targets/kserve/storage-secret.ts';
import { hasOwnKeys } from '../targets/kserve/storage.ts';
import { benchmarkFiles, benchmarkNeeds } from './benchmark-objects.ts';
import { needsOf } from './cluster-objects.ts';
import { yamlOf } from './yaml.ts';
import type { RenderedDeployment, RenderFormat, RenderInput } from './contract.ts';

/** One file for each deployment: its InferenceServices, one a replica, and the runtimes that are made for them. */
export const kserveFormat = {
  kind: 'kserve',
  title: 'InferenceServices of KServe with their runtimes, a file for each deployment',
  benchmarks: 'cluster',
  refuses: (deployment) =>
    kserveTarget.refuses(deployment.spec, { ...optionsOf(deployment), mode: 'RawDeployment' }),
  render: (input) => ({
    files: [
      ...input.deployments.map((deployment) => ({
        path: `${deployment.name}.yaml`,
        text: objectsOf(input, deployment).map(yamlOf).join('---\n'),
      })),
      ...benchmarkFiles(input),
    ],
    needs: [...needsOf(input), ...storageNeeds(input), ...benchmarkNeeds(input)],
  }),
} as const satisfies RenderFormat<'kserve'>;

/** What the file says of another target means nothing to KServe: then all is as usual. */
function optionsOf({ target }: RenderedDeployment): KserveOptions {
  return target.kind === 'kserve'
    ? (target as unknown as KserveOptions)
    : KserveOptions.parse({ kind: 'kserve' });
}

/** The Secrets by which KServe fetches from S3, as "berth apply" would make them. */
function storageNeeds({ deployments, fleet, fleetId, namespace }: RenderInput): string[] {
  const keys = {
    AWS_ACCESS_KEY_ID: '$AWS_ACCESS_KEY_ID',
    AWS_SECRET_ACCESS_KEY: '$AWS_SECRET_ACCESS_KEY',
  };
  return deployments
    .filter(({ spec }) => hasOwnKeys(spec))
    .flatMap(({ name, replicas }) =>
      Array.from({ length: replicas }, (_, replica) => {
        const meta = {
          name: storageName({ deployment: name, replica }),
          ...(namespace === null ? {} : { namespace }),
          labels: { [fleetLabel]: fleet, [fleetIdLabel]: fleetId },
        };
        const place = namespace === null ? '' : ` -n ${namespace}`;
        return `${name} needs a Secret: ${secretCommands(meta, keys)}; kubectl annotate secret ${meta.name}${place} serving.kserve.io/s3-endpoint=HOST:PORT serving.kserve.io/s3-usehttps=1`;
      }),
    );
}

function objectsOf({ fleet, fleetId, namespace }: RenderInput, deployment: RenderedDeployment): KubeObject[] {
  const { name, spec, replicas } = deployment;
  const all = Array.from({ length: replicas }, (_, replica) =>
    manifestsOf({ fleet, fleetId, deployment: name, replica, spec }, optionsOf(deployment)),
  ).flat();
  // A runtime that the file names is the same for all replicas.
  const once = new Map(all.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
  return [...once.values()].map((object) =>
    namespace === null ? object : { ...object, metadata: { ...object.metadata, namespace } },
  );
}

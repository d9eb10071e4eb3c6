import { BerthError } from '../domain/errors/berth-error.ts';
import { fleetIdLabel, fleetLabel } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import { withSubjects } from '../kube/subjects.ts';
import { kserveTarget } from '../targets/kserve.ts';
import { manifestsOf, runtimeKind } from '../targets/kserve/manifests.ts';
import { markObject } from '../targets/kserve/marks.ts';
import { KserveOptions } from '../targets/kserve/options.ts';
import { storageName } from '../targets/kserve/storage-secret.ts';
import { hasOwnKeys } from '../targets/kserve/storage.ts';
import { benchmarkFiles, benchmarkNeeds } from './benchmark-objects.ts';
import { needsOf } from './cluster-objects.ts';
import type { RenderedDeployment, RenderedFile, RenderFormat, RenderInput } from './contract.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';
import { namespaceFiles } from './namespace-objects.ts';
import { marksOf } from './replica-marks.ts';
import { yamlOf } from './yaml.ts';

/** One file for each deployment: its InferenceServices, one a replica, the runtimes that are made for them, and their marks. */
export const kserveFormat = {
  kind: 'kserve',
  title: 'InferenceServices of KServe with their runtimes, a file for each deployment',
  place: 'cluster',
  benchmarks: true,
  gateway: (namespace) => (namespace === null ? 'it needs --namespace' : null),
  refuses: (deployment) =>
    kserveTarget.refuses(deployment.spec, { ...optionsOf(deployment), mode: 'RawDeployment' }),
  render: (input) => ({
    files: filesOf(input),
    needs: [...needsOf(input), ...storageNeeds(input), ...gatewayNeeds(input), ...benchmarkNeeds(input)],
  }),
} as const satisfies RenderFormat<'kserve'>;

function filesOf(input: RenderInput): RenderedFile[] {
  const files = [
    ...namespaceFiles(input),
    ...objectsOf(input).map(({ name, objects }) => fileOf(name, objects)),
    ...(input.gateway === null ? [] : [fileOf('berth-gateway', gatewayObjects(input))]),
    ...benchmarkFiles(input),
  ];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...(input.namespace === null ? {} : { namespace: input.namespace }),
    resources: files.map(({ path }) => path),
  };
  return [...files, { path: 'kustomization.yaml', text: yamlOf(kustomization), index: true }];
}

function fileOf(name: string, objects: readonly KubeObject[]): RenderedFile {
  return { path: `${name}.yaml`, text: objects.map(yamlOf).join('---\n') };
}

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

/** A runtime that several share stands with the first of them. Throws RUNTIME_CONTRADICTS. */
function objectsOf(input: RenderInput): { name: string; objects: KubeObject[] }[] {
  const marked = marksOf(input, optionsOf);
  const made = new Map<string, { by: string; text: string }>();
  return input.deployments.map(({ name }) => {
    const objects = marked
      .filter(({ mark }) => mark.deployment === name)
      .flatMap(({ mark, options }) => {
        const sent = manifestsOf(mark, options);
        return [...sent.filter((object) => isFirst(made, object, name)), markObject(mark, sent)];
      });
    return { name, objects: objects.map((object) => placed(object, input.namespace)) };
  });
}

function isFirst(made: Map<string, { by: string; text: string }>, object: KubeObject, by: string): boolean {
  if (object.kind !== runtimeKind.kind) return true;
  const { name } = object.metadata;
  const earlier = made.get(name);
  const text = JSON.stringify(object);
  if (!earlier) made.set(name, { by, text });
  else if (earlier.text !== text)
    throw new BerthError('RUNTIME_CONTRADICTS', { runtime: name, deployments: [earlier.by, by] });
  return !earlier;
}

function placed(object: KubeObject, namespace: string | null): KubeObject {
  if (namespace === null) return object;
  return withSubjects({ ...object, metadata: { ...object.metadata, namespace } }, namespace);
}

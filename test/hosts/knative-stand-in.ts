import { z } from 'zod';
import { DeploymentLive } from '../../src/kube/answers.ts';
import { applyObject, getObject, listObjects, Live, must } from '../../src/kube/client.ts';
import type { Place } from '../../src/kube/client.ts';
import { objectPath } from '../../src/kube/kinds.ts';
import type { KubeKind } from '../../src/kube/kinds.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { pauseImage } from './kube-box.ts';

const group = 'serving.knative.dev';
const apiVersion = `${group}/v1`;

export const knativeService = { apiVersion, kind: 'Service' } as const;
const revisionKind = { apiVersion, kind: 'Revision', plural: 'revisions' } as const;

/** By it KServe's real webhook knows which model it is to bring into the pods, since Knative takes no claims. */
export const modelAnnotation = 'internal.serving.kserve.io/storage-initializer-sourceuri';

/** Definitions of ours for the kinds of Knative that are looked at, which take everything. */
export const knativeDefinitions = [
  ['Service', 'services'],
  ['Revision', 'revisions'],
].map(([kind = '', plural = '']) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: {
      kind,
      plural,
      singular: kind.toLowerCase(),
      shortNames: kind === 'Service' ? ['ksvc'] : ['rev'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: Object.fromEntries(
              ['spec', 'status'].map((part) => [
                part,
                { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              ]),
            ),
          },
        },
      },
    ],
  },
}));

const Condition = z.object({ type: z.string(), status: z.string(), message: z.string().optional() });
type Condition = z.infer<typeof Condition>;

const Template = z.looseObject({
  metadata: z.looseObject({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
  }),
  spec: z.looseObject({
    timeoutSeconds: z.number().optional(),
    containers: z.array(z.looseObject({ name: z.string(), readinessProbe: z.unknown() })),
  }),
});

const KnativeService = Live.extend({
  spec: z.object({ template: Template }),
  status: z
    .object({ latestReadyRevisionName: z.string().optional(), conditions: z.array(Condition).default([]) })
    .optional(),
});
type KnativeService = z.infer<typeof KnativeService>;

/** What Knative takes of a pod as it is installed. */
const takenOfPods = [
  'automountServiceAccountToken',
  'containerConcurrency',
  'containers',
  'enableServiceLinks',
  'imagePullSecrets',
  'serviceAccountName',
  'timeoutSeconds',
  'volumes',
];

/** Gives Knative a service, as KServe does; gives what there is to be told of it. */
export async function applyKnative(
  place: Place,
  object: Pick<KubeObject, 'metadata'> & {
    readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
  },
): Promise<Condition[]> {
  const refused = Object.keys(object.spec.template.spec).filter((one) => !takenOfPods.includes(one));
  if (refused.length > 0) {
    const fields = refused.map((one) => `spec.template.spec.${one}`).join(', ');
    return [{ type: 'Ready', status: 'False', message: `must not set the field(s): ${fields}` }];
  }
  await applyObject(place, { ...knativeService, ...object }, { manager: 'kserve', force: true });
  const live = await getObject(place, { ...knativeService, name: object.metadata.name }, KnativeService);
  return live?.status?.conditions ?? [];
}

/** Writes what a controller tells of an object. */
export async function applyStatus(
  place: Place,
  { name, ...kind }: KubeKind & { readonly name: string },
  { status, manager }: { status: object; manager: string },
): Promise<void> {
  const path = `${objectPath(kind, place.namespace, name)}/status?fieldManager=${manager}&force=true`;
  const { apiVersion: version, kind: named } = kind;
  const body = { apiVersion: version, kind: named, metadata: { name }, status };
  const contentType = 'application/apply-patch+yaml';
  await must(place, { method: 'PATCH', path, body, contentType, fine: [200] });
}

/**
 * Stands in for Knative, which cannot be had here: each generation of a Service becomes a revision with a Deployment of its own, the
 * one before goes on until the newest is ready, and has no pod from then on. There is no ingress: nobody is reached by a URL, and
 * the container that stands where Knative's proxy would be is asked for nothing but whether the engine is ready.
 */
export async function reconcileKnative(place: Place): Promise<void> {
  for (const service of await listObjects(place, { ...knativeService, labels: '' }, KnativeService))
    if (!service.metadata.deletionTimestamp) await reconcileService(place, service);
}

async function reconcileService(place: Place, service: KnativeService): Promise<void> {
  const { name, generation } = service.metadata;
  const newest = `${name}-${String(generation ?? 1).padStart(5, '0')}`;
  const there = await listObjects(
    place,
    { apiVersion: 'apps/v1', kind: 'Deployment', labels: `${group}/service=${name}` },
    DeploymentLive,
  );
  if (!there.some(({ metadata }) => metadata.labels?.[`${group}/revision`] === newest))
    await makeRevision(place, service, newest);
  const made = there.find(({ metadata }) => metadata.labels?.[`${group}/revision`] === newest);
  const before = service.status?.latestReadyRevisionName;
  const isReady = before === newest || (made?.status?.availableReplicas ?? 0) > 0;
  const failed = made?.status?.conditions?.find(
    ({ type, status }) => type === 'Progressing' && status === 'False',
  );
  const serving = isReady ? newest : before;
  for (const { metadata, spec } of there) {
    const revision = metadata.labels?.[`${group}/revision`];
    const wanted = revision === newest || revision === serving ? 1 : 0;
    if (spec.replicas !== wanted) await scale(place, metadata.name, wanted);
  }
  const status = {
    observedGeneration: generation,
    latestCreatedRevisionName: newest,
    ...(serving === undefined ? {} : { latestReadyRevisionName: serving }),
    conditions: [readiness(newest, { isReady, failed: failed?.message ?? null })],
    url: `http://${name}.${place.namespace}.example`,
  };
  await applyStatus(place, { ...knativeService, name }, { status, manager: 'knative' });
}

function readiness(
  revision: string,
  { isReady, failed }: { isReady: boolean; failed: string | null },
): Condition & { lastTransitionTime: string } {
  // Times that change with each look would be a change of the object.
  const at = { type: 'Ready', lastTransitionTime: '2026-01-01T00:00:00Z' };
  if (isReady) return { ...at, status: 'True' };
  if (failed)
    return { ...at, status: 'False', message: `Revision "${revision}" failed with message: ${failed}.` };
  return { ...at, status: 'Unknown', message: `Revision "${revision}" is not ready.` };
}

async function scale(place: Place, name: string, replicas: number): Promise<void> {
  const path = objectPath({ apiVersion: 'apps/v1', kind: 'Deployment' }, place.namespace, name);
  const contentType = 'application/merge-patch+json';
  await must(place, { method: 'PATCH', path, body: { spec: { replicas } }, contentType, fine: [200] });
}

async function makeRevision(place: Place, service: KnativeService, name: string): Promise<void> {
  const { template } = service.spec;
  const labels = {
    ...template.metadata.labels,
    [`${group}/service`]: service.metadata.name,
    [`${group}/configuration`]: service.metadata.name,
    [`${group}/revision`]: name,
  };
  const { annotations } = template.metadata;
  const path = `${objectPath(revisionKind, place.namespace, name)}?fieldManager=knative&force=true`;
  const { json } = await must(place, {
    method: 'PATCH',
    path,
    body: {
      apiVersion,
      kind: revisionKind.kind,
      metadata: { name, labels, annotations, ...ownedBy(knativeService.kind, service) },
      spec: template.spec,
    },
    contentType: 'application/apply-patch+yaml',
    fine: [200, 201],
  });
  await applyObject(place, deploymentOf(Live.parse(json), template, { labels, annotations }), {
    manager: 'knative',
    force: true,
  });
}

function ownedBy(kind: string, { metadata: { name, uid } }: Live): { ownerReferences: OwnerReference[] } {
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }] };
}

type OwnerReference = Record<'apiVersion' | 'kind' | 'name' | 'uid', string> &
  Record<'controller' | 'blockOwnerDeletion', boolean>;

/** Readiness is asked by the container beside the engine's, which Knative has in each of its pods. */
function deploymentOf(
  revision: Live,
  { spec }: z.infer<typeof Template>,
  { labels, annotations }: { labels: Record<string, string>; annotations: Record<string, string> },
): Parameters<typeof applyObject>[1] {
  const { name } = revision.metadata;
  const { timeoutSeconds, containerConcurrency: _most, containers, ...pod } = spec;
  const [engine] = containers;
  const { readinessProbe, ...own } = engine ?? { name: 'none' };
  const proxy = { name: 'queue-proxy', image: pauseImage, readinessProbe };
  const deadline = annotations[`${group}/progress-deadline`] ?? '600s';
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `${name}-deployment`, labels, ...ownedBy(revisionKind.kind, revision) },
    spec: {
      replicas: 1,
      progressDeadlineSeconds: Number.parseInt(deadline, 10),
      revisionHistoryLimit: 0,
      selector: { matchLabels: { [`${group}/revision`]: name } },
      template: {
        metadata: { labels: { ...labels, app: name }, annotations },
        spec: withModel(
          { ...pod, terminationGracePeriodSeconds: timeoutSeconds, containers: [own, proxy] },
          annotations[modelAnnotation],
        ),
      },
    },
  };
}

/** The pod with the model's claim at the place where KServe has it; as it is where the model is in no claim. */
export function withModel(pod: Record<string, unknown>, uri: string | undefined): Record<string, unknown> {
  const [, claimName, path = ''] = /^pvc:\/\/([^/]+)\/?(.*)$/.exec(uri ?? '') ?? [];
  const { containers, volumes } = Pod.parse(pod);
  if (!claimName) return pod;
  const name = 'kserve-pvc-source';
  const mount = { name, mountPath: '/mnt/models', readOnly: true, ...(path === '' ? {} : { subPath: path }) };
  const [engine, ...others] = containers;
  return {
    ...pod,
    containers: [{ ...engine, volumeMounts: [...(engine?.volumeMounts ?? []), mount] }, ...others],
    volumes: [...volumes, { name, persistentVolumeClaim: { claimName } }],
  };
}

const Pod = z.object({
  containers: z.array(z.looseObject({ volumeMounts: z.array(z.unknown()).default([]) })),
  volumes: z.array(z.unknown()).default([]),
});

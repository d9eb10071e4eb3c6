import { z } from 'zod';
import { namespaceOf, PodSpec, sameNamespace, selects } from './kube-object.ts';
import type { KubeObject, Workload } from './kube-object.ts';
import { predictorPod } from './predictor-pod.ts';

const names = z.record(z.string(), z.string()).nullish().catch(null);
const Marks = z.object({ metadata: z.object({ labels: names, annotations: names }) });
const Replicas = z.object({ replicas: z.number() });

/** Kinds that Kubernetes itself makes others from: what they own is as they say. */
const makers = [
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'ReplicationController',
];

/** Kinds whose controller completes what they say, with probes and the GPUs of another object. */
const completed = ['InferenceService', 'ServingRuntime', 'LLMInferenceService'];

/** What only describes others, however it looks. */
const descriptions = [
  'ClusterServingRuntime',
  'CustomResourceDefinition',
  'ControllerRevision',
  'PodTemplate',
  'Template',
  'ClusterServiceVersion',
];

/**
 * Every template of pods, each once, wherever its kind keeps it: what an object that is seen makes is left to that one, and of many
 * pods that an unseen one made the first stands for all. A service of KServe whose template `tells` of no server leaves what runs to
 * a runtime: what its controller made of both is looked at in its place.
 */
export function workloadsIn(
  objects: readonly KubeObject[],
  tells: (workload: Workload) => boolean,
): Workload[] {
  const own = objects
    .filter((object) => ownersOf(object).length === 0)
    .flatMap((object) => templatesOf(object, objects));
  const others = objects.filter((object) => object.kind !== 'Pod');
  const made = firstOfEach(others, { objects, own, tells });
  const said = [...own, ...made.flatMap((object) => templatesOf(object, objects))];
  const single = objects.filter((object) => object.kind === 'Pod');
  const pods = firstOfEach(single, { objects, own: said, tells });
  return [...said, ...pods.flatMap((object) => templatesOf(object, objects))];
}

interface Saying {
  readonly objects: readonly KubeObject[];
  readonly own: readonly Workload[];
  readonly tells: (workload: Workload) => boolean;
}

/** What others made and nothing that is seen says: of those that one owner made the first that has pods, else the first. */
function firstOfEach(some: readonly KubeObject[], saying: Saying): KubeObject[] {
  const made = new Map<string, KubeObject>();
  for (const object of some) {
    const [owner] = ownersOf(object);
    if (!owner || isMade(object, owner, saying)) continue;
    const key = [namespaceOf(object), object.kind, owner.kind, owner.name].join(' ');
    const held = made.get(key);
    if (!held || (replicasOf(held) === 0 && replicasOf(object) > 0)) made.set(key, object);
  }
  return [...made.values()];
}

/** All that one object says of pods; `objects` are those that it may name. */
function templatesOf(object: KubeObject, objects: readonly KubeObject[]): Workload[] {
  const { kind, metadata, spec } = object;
  if (descriptions.includes(kind)) return [];
  if (kind === 'Pod') {
    const pod = PodSpec.safeParse(spec).data;
    return pod ? [{ object, labels: metadata.labels ?? {}, replicas: 1, pod, partial: false }] : [];
  }
  const replicas = replicasOf(object);
  const partial = completed.includes(kind);
  const predictor = kind === 'InferenceService' ? predictorPod(object, objects) : null;
  const found = [...podSpecsIn(spec), ...(predictor ? [{ ...unmarked, pod: predictor }] : [])];
  return found.map(({ labels, pod }) => ({
    object,
    labels: { ...labels, ...addedLabels(object) },
    replicas,
    pod,
    partial,
  }));
}

function replicasOf({ spec }: KubeObject): number {
  return Replicas.safeParse(spec).data?.replicas ?? 1;
}

/** What a controller writes on its pods beyond the labels of their template. */
function addedLabels({ kind, metadata: { name } }: KubeObject): Record<string, string> {
  if (kind === 'InferenceService') return { 'serving.kserve.io/inferenceservice': name };
  return kind === 'LeaderWorkerSet' ? { 'leaderworkerset.sigs.k8s.io/name': name } : {};
}

/** A mirror of a static pod is owned by its node, which says nothing of it. */
function ownersOf({ metadata }: KubeObject): { kind: string; name: string }[] {
  const owners = (metadata.ownerReferences ?? []).filter((owner) => owner.kind !== 'Node');
  return owners.map((owner) => (owner.kind === 'Revision' ? revisedBy(metadata.labels ?? {}, owner) : owner));
}

/** Knative keeps revisions of before without pods: what they are of has made them all. */
function revisedBy(
  labels: Readonly<Record<string, string>>,
  revision: { kind: string; name: string },
): { kind: string; name: string } {
  const inference = labels['serving.kserve.io/inferenceservice'];
  if (inference !== undefined) return { kind: 'InferenceService', name: inference };
  const name = labels['serving.knative.dev/service'];
  return name === undefined ? revision : { kind: 'Service of Knative', name };
}

/** Whether it is as something says that is seen, or that Kubernetes makes of what is seen. */
function isMade(
  object: KubeObject,
  owner: { kind: string; name: string },
  { objects, own, tells }: Saying,
): boolean {
  const maker = objects.find(
    (one) => one.kind === owner.kind && one.metadata.name === owner.name && sameNamespace(one, object),
  );
  if (maker) return saysItself(maker, { own, tells });
  if (!makers.includes(owner.kind)) return false;
  const labels = object.metadata.labels ?? {};
  return own.some(
    (one) =>
      sameNamespace(one.object, object) &&
      (owner.name.startsWith(`${one.object.metadata.name}-`) ||
        (Object.keys(one.labels).length > 0 && selects(one.labels, labels))),
  );
}

/** Some that make pods say nothing of them that could be read, as a Model of KubeAI: their pods stand for themselves. */
function saysItself(maker: KubeObject, { own, tells }: Pick<Saying, 'own' | 'tells'>): boolean {
  const its = own.filter((one) => one.object === maker);
  if (completed.includes(maker.kind)) return its.some(tells);
  return makers.includes(maker.kind) || ownersOf(maker).length > 0 || its.length > 0;
}

/** What an object has its pods marked with, template by template, wherever its kind keeps them. */
export function podMarksIn({ kind, spec }: KubeObject): readonly PodMarks[] {
  return kind === 'Pod' || descriptions.includes(kind) ? [] : podSpecsIn(spec);
}

type Names = Readonly<Record<string, string>>;

interface PodMarks {
  readonly labels: Names;
  readonly annotations: Names;
}

interface FoundPod extends PodMarks {
  readonly pod: PodSpec;
}

const deepest = 8;
const unmarked: PodMarks = { labels: {}, annotations: {} };

/** Whatever has containers is a pod; the marks of its template stand beside it. */
function podSpecsIn(value: unknown, marks: PodMarks = unmarked, depth = 0): FoundPod[] {
  if (typeof value !== 'object' || value === null || depth > deepest) return [];
  if (Array.isArray(value)) return value.flatMap((one) => podSpecsIn(one, marks, depth + 1));
  if ('containers' in value && Array.isArray(value.containers)) {
    const pod = PodSpec.safeParse(value).data;
    return pod ? [{ ...marks, pod }] : [];
  }
  const { labels, annotations } = Marks.safeParse(value).data?.metadata ?? {};
  const beside = { labels: labels ?? {}, annotations: annotations ?? {} };
  return Object.values(value).flatMap((one) => podSpecsIn(one, beside, depth + 1));
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { applyObject, deleteObject, getObject, listObjects, Live } from '../../src/kube/client.ts';
import type { Place } from '../../src/kube/client.ts';
import type { KubeMeta } from '../../src/kube/object.ts';
import { until } from '../support/berth.ts';
import { filledByKserve } from '../support/go-template.ts';
import { specsFolder } from '../support/kube-schema.ts';
import {
  applyKnative,
  applyStatus,
  knativeDefinitions,
  knativeService,
  modelAnnotation,
  reconcileKnative,
  withModel,
} from './knative-stand-in.ts';
import { missingForCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

/** Why a cluster with KServe's definitions cannot be had here; null when it can. */
export function missingForKserve(): string | null {
  return missingForCluster() ?? (specsFolder === undefined ? 'no definitions of KServe (BERTH_SPECS)' : null);
}

/** Teaches a cluster KServe's kinds; by default those that berth makes. */
export async function addKserve(
  { kubectl }: KubeBox,
  kinds: readonly string[] = ['inferenceservices', 'servingruntimes'],
): Promise<void> {
  for (const kind of kinds) {
    const file = join(specsFolder ?? '', `serving.kserve.io_${kind}.yaml`);
    kubectl('apply', '--server-side', '-f', file);
    await until(() => Promise.resolve(isKnown(kubectl, kind)), `${kind} to be known`);
  }
}

/** Teaches a cluster the kinds of Knative that are looked at, until what it gives is called. */
export async function addKnative({ kubectl, folder }: KubeBox): Promise<() => void> {
  const file = join(folder, 'knative.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: knativeDefinitions }));
  kubectl('apply', '-f', file);
  for (const kind of ['ksvc', 'rev'])
    await until(() => Promise.resolve(isKnown(kubectl, kind)), `${kind} of Knative to be known`);
  return () => void kubectl('delete', '-f', file, '--ignore-not-found');
}

function isKnown(kubectl: KubeBox['kubectl'], kind: string): boolean {
  try {
    return kubectl('get', kind, '--all-namespaces', '-o', 'name') === '';
  } catch {
    return false;
  }
}

const Loose = z.record(z.string(), z.unknown());

const Service = Live.extend({
  spec: z.object({
    predictor: z.looseObject({
      volumes: z.array(Loose).default([]),
      model: z.object({
        runtime: z.string(),
        storageUri: z.string().optional(),
        args: z.array(z.string()).default([]),
        env: z.array(Loose).default([]),
        resources: Loose.default({}),
        volumeMounts: z.array(Loose).default([]),
      }),
    }),
  }),
});
type Service = z.infer<typeof Service>;

const Container = z.looseObject({ args: z.array(z.string()).default([]), env: z.array(Loose).default([]) });
type Container = z.infer<typeof Container>;

const Runtime = Live.extend({ spec: z.object({ containers: z.array(Container) }) });

const serving = 'serving.kserve.io';

/**
 * Stands in for KServe's controller, which cannot be had here: makes a Deployment and a Service of each InferenceService as the
 * real one does in its mode RawDeployment, and a Service of Knative in the other one, for a stand-in for that. Labels and
 * annotations are copied into the pods, the runtime's container is merged with the model's and filled in as a template, a claim is
 * mounted at /mnt/models. Of a service whose template cannot be read nothing is made.
 */
export function startStandIn(place: Place): { stop: () => Promise<void> } {
  let ended = false;
  async function run(): Promise<void> {
    while (!ended) {
      await reconcile(place).catch(() => {});
      await new Promise((done) => setTimeout(done, 300));
    }
  }
  const running = run();
  return {
    stop: () => {
      ended = true;
      return running;
    },
  };
}

async function reconcile(place: Place): Promise<void> {
  const [services, runtimes] = await Promise.all([
    listObjects(place, { apiVersion: `${serving}/v1beta1`, kind: 'InferenceService', labels: '' }, Service),
    listObjects(place, { apiVersion: `${serving}/v1alpha1`, kind: 'ServingRuntime', labels: '' }, Runtime),
  ]);
  for (const service of services) {
    const runtime = runtimes.find(({ metadata }) => metadata.name === service.spec.predictor.model.runtime);
    const [container] = runtime?.spec.containers ?? [];
    if (!container || service.metadata.deletionTimestamp) continue;
    if (service.metadata.annotations?.[`${serving}/stop`] === 'true') {
      await removeWhatWasMade(place, service);
      continue;
    }
    if (isOfKnative(service)) {
      await keepKnative(place, service, podOf(service, container));
      continue;
    }
    for (const object of [deploymentOf(service, container), serviceOf(service)])
      await applyObject(place, object, { manager: 'kserve', force: true });
  }
  await reconcileKnative(place);
}

function isOfKnative({ metadata }: Service): boolean {
  return ['Serverless', 'Knative'].includes(metadata.annotations?.[`${serving}/deploymentMode`] ?? '');
}

/** What the real one gives Knative, and what it tells of that on its own service. */
async function keepKnative(place: Place, service: Service, pod: Record<string, unknown>): Promise<void> {
  const { metadata, spec } = service;
  const { model, timeout } = spec.predictor;
  const name = `${metadata.name}-predictor`;
  const annotations = {
    ...metadata.annotations,
    ...(model.storageUri === undefined ? {} : { [modelAnnotation]: model.storageUri }),
  };
  const told = await applyKnative(place, {
    metadata: { name, labels: labelsOf(service), ...ownedBy(service) },
    spec: {
      template: {
        metadata: { labels: labelsOf(service), annotations },
        spec: { ...pod, timeoutSeconds: timeout, containerConcurrency: 0 },
      },
    },
  });
  const conditions = told.map((one) => ({ ...one, type: `Predictor${one.type}` }));
  const status = {
    deploymentMode: 'Knative',
    url: `http://${metadata.name}.${place.namespace}.example`,
    conditions,
  };
  const of = { apiVersion: `${serving}/v1beta1`, kind: 'InferenceService', name: metadata.name };
  await applyStatus(place, of, { status, manager: 'kserve' });
}

/** Of a service that is stopped KServe keeps neither Deployment nor Service, nor one of Knative. */
async function removeWhatWasMade(place: Place, { metadata }: Service): Promise<void> {
  for (const kind of [
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'v1', kind: 'Service' },
    knativeService,
  ]) {
    const made = await getObject(place, { ...kind, name: `${metadata.name}-predictor` }, Live);
    const isIts = made?.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid);
    if (made && isIts) await deleteObject(place, kind, made.metadata);
  }
}

/** Labels of what is made for a service are its own and these. */
function labelsOf({ metadata }: Service): Record<string, string> {
  return { ...metadata.labels, [`${serving}/inferenceservice`]: metadata.name, component: 'predictor' };
}

function ownedBy({ metadata }: Service): Pick<KubeMeta, 'ownerReferences'> {
  const owner = { apiVersion: `${serving}/v1beta1`, kind: 'InferenceService', name: metadata.name };
  const held = { controller: true, blockOwnerDeletion: true };
  return { ownerReferences: [{ ...owner, ...held, uid: metadata.uid }] };
}

/** Its one port has no name, since that of the runtime's container has none. */
function serviceOf(service: Service): Parameters<typeof applyObject>[1] {
  const name = `${service.metadata.name}-predictor`;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: labelsOf(service), ...ownedBy(service) },
    spec: {
      selector: { app: `isvc.${name}` },
      ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
    },
  };
}

/** The pod that a service and its runtime say together, without the model's place. */
function podOf({ metadata, spec }: Service, container: Container): Record<string, unknown> {
  const {
    model,
    minReplicas: _least,
    maxReplicas: _most,
    deploymentStrategy,
    timeout: _time,
    ...pod
  } = spec.predictor;
  const own = {
    ...container,
    args: [...container.args, ...model.args],
    env: [...new Map([...container.env, ...model.env].map((one) => [one['name'], one])).values()],
    resources: model.resources,
    volumeMounts: model.volumeMounts,
  };
  const meta = {
    Name: metadata.name,
    Namespace: metadata.namespace ?? '',
    Labels: metadata.labels ?? {},
    Annotations: metadata.annotations ?? {},
  };
  return {
    ...pod,
    ...(deploymentStrategy === undefined ? {} : { deploymentStrategy }),
    containers: [filledByKserve(own, meta)],
  };
}

function deploymentOf(service: Service, container: Container): Parameters<typeof applyObject>[1] {
  const { metadata, spec } = service;
  const { model, minReplicas, deploymentStrategy } = spec.predictor;
  const name = `${metadata.name}-predictor`;
  const selector = { app: `isvc.${name}` };
  const labels = { ...labelsOf(service), ...selector };
  const { deploymentStrategy: _own, ...pod } = podOf(service, container);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels, ...ownedBy(service) },
    spec: {
      replicas: minReplicas === undefined ? 1 : minReplicas,
      ...(deploymentStrategy === undefined ? {} : { strategy: deploymentStrategy }),
      selector: { matchLabels: selector },
      template: {
        metadata: { labels, annotations: metadata.annotations ?? {} },
        spec: withModel(pod, model.storageUri),
      },
    },
  };
}

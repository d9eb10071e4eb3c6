import { z } from 'zod';
import { claimUsers } from '../../domain/audit/claims-in-use.ts';
import { judgeService } from '../../domain/audit/services.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { deleteObject, getObject, Live, must } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { listPath } from '../../kube/kinds.ts';
import type { KubeKind } from '../../kube/kinds.ts';
import { fleetLabel } from '../../kube/names.ts';
import { trackerOf } from '../../kube/ownership.ts';
import { observeCluster } from '../gather/observe-cluster.ts';
import type { AuditView } from '../rules/contract.ts';
import { viewOf } from '../view.ts';
import type { Found, Removable } from './contract.ts';

const pollMs = 250;
const goneMs = 120_000;

/** Why it is of use to somebody, as the end of a sentence; null: it is not. Pure. */
type InUse = (view: AuditView, name: string) => string | null;

const Definition = z.object({ namespace: z.string(), object: z.record(z.string(), z.unknown()) });

export const service = removable('service', { apiVersion: 'v1', kind: 'Service' }, serviceInUse);
export const claim = removable('pvc', { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }, claimInUse);
export const deployment = removable('deployment', { apiVersion: 'apps/v1', kind: 'Deployment' }, isOther);
export const statefulSet = removable('statefulset', { apiVersion: 'apps/v1', kind: 'StatefulSet' }, isOther);
export const runtime = removable(
  'servingruntime',
  { apiVersion: 'serving.kserve.io/v1alpha1', kind: 'ServingRuntime' },
  runtimeInUse,
);

function removable(kind: string, of: KubeKind, inUse: InUse): Removable {
  return {
    kind,
    example: `${kind}:NAMESPACE/NAME`,
    inCluster: true,
    find: (world, name) => findObject(world, { kind, of, inUse, name }),
    restore: (world, definition) => restoreObject(world, of, definition),
  };
}

async function findObject(
  home: World,
  { kind, of, inUse, name: text }: { kind: string; of: KubeKind; inUse: InUse; name: string },
): Promise<Found> {
  const object = `${kind}:${text}`;
  const [, namespace = '', name = ''] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (namespace === '') throw refused(object, 'its namespace is missing', `Write ${kind}:NAMESPACE/NAME.`);
  const world = inNamespace(home, namespace);
  const place = await placeOf(world);
  const live = await getObject(place, { ...of, name }, Live);
  if (!live) throw new BerthError('REMOVE_UNKNOWN', { object, known: [] });
  const by = trackerOf(live);
  if (by !== null) throw refused(object, `${by} keeps it`, 'Remove it there.');
  if (live.metadata.labels?.[fleetLabel] !== undefined)
    throw refused(object, 'it carries the mark of a fleet', 'Use "berth down".');
  const seen = await observeCluster(world, namespace);
  const view = viewOf({ at: '', hosts: [], clusters: [seen], fleet: null });
  const used = inUse(view, name);
  if (used !== null) throw refused(object, used, 'Remove what uses it first.');
  return {
    what: `${of.kind} ${namespace}/${name}`,
    loses: losesOf(of, live),
    definition: { namespace, object: withoutState({ ...live, ...of }) },
    remove: () => removeObject(world, place, of, live),
  };
}

function inNamespace(world: World, namespace: string): World {
  return world.cluster ? { ...world, cluster: { ...world.cluster, namespace } } : world;
}

function refused(object: string, reason: string, cure: string): BerthError {
  return new BerthError('REMOVE_REFUSED', { object, reason, cure });
}

function serviceInUse({ objects, workloads }: AuditView, name: string): string | null {
  const found = objects.find((one) => one.kind === 'Service' && one.metadata.name === name);
  if (!found) return 'it has nothing to do with models';
  return judgeService(found, objects, workloads) === null ? 'it has endpoints, or leads to a workload' : null;
}

function claimInUse({ objects, workloads }: AuditView, name: string): string | null {
  const unseen = objects.flatMap((one) => one.cluster?.unseen ?? []);
  if (unseen.length > 0) return `a ${unseen[0]} may use it, and you may not list those`;
  const [user] = claimUsers(objects, workloads)(name);
  return user ? `${user.kind} ${user.metadata.name} uses it` : null;
}

/** What runs may be removed; what is no model server is none of berth's business. */
function isOther({ pods }: AuditView, name: string): string | null {
  return pods.some(({ workload }) => workload.object.metadata.name === name)
    ? null
    : 'it runs no model server';
}

function runtimeInUse({ objects }: AuditView, name: string): string | null {
  const user = objects.find(
    (one) =>
      one.kind === 'InferenceService' &&
      JSON.stringify(one.spec ?? {}).includes(`"runtime":${JSON.stringify(name)}`),
  );
  return user ? `InferenceService ${user.metadata.name} names it` : null;
}

function losesOf({ kind }: KubeKind, live: Live): string | null {
  if (kind !== 'PersistentVolumeClaim') return null;
  const { volumeName } = (live['spec'] ?? {}) as { volumeName?: string };
  return volumeName
    ? `What lies on the volume ${volumeName} is gone with it, unless its class says Retain.`
    : null;
}

const stateOfMeta = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
  'finalizers',
];

/** What somebody wrote, without what the server adds by itself. Pure. */
export function withoutState(object: Record<string, unknown>): Record<string, unknown> {
  const { status: _status, metadata, spec, ...rest } = object;
  const meta = Object.entries((metadata ?? {}) as Record<string, unknown>).filter(
    ([key]) => !stateOfMeta.includes(key),
  );
  const { volumeName: _volume, ...kept } = (spec ?? {}) as Record<string, unknown>;
  return {
    ...rest,
    metadata: withoutBinding(Object.fromEntries(meta)),
    ...(spec === undefined ? {} : { spec: kept }),
  };
}

/** A claim that says that it is bound would wait for its old volume for ever. */
function withoutBinding(metadata: Record<string, unknown>): Record<string, unknown> {
  const { annotations, ...rest } = metadata;
  const kept = Object.entries((annotations ?? {}) as Record<string, string>).filter(
    ([key]) => !/^pv\.kubernetes\.io\/|^deployment\.kubernetes\.io\/|storage-provisioner$/.test(key),
  );
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

async function removeObject(world: World, place: Place, of: KubeKind, { metadata }: Live): Promise<void> {
  await deleteObject(place, of, metadata);
  const until = world.clock.now() + goneMs;
  while ((await getObject(place, { ...of, name: metadata.name }, Live))?.metadata.uid === metadata.uid) {
    if (world.clock.now() > until)
      throw refused(`${of.kind} ${metadata.name}`, 'the cluster still holds it', 'See its finalizers.');
    await world.clock.sleep(pollMs);
  }
}

async function restoreObject(home: World, of: KubeKind, definition: unknown): Promise<string> {
  const { namespace, object } = Definition.parse(definition);
  const place = await placeOf(inNamespace(home, namespace));
  const path = listPath(of, namespace);
  const { name } = object['metadata'] as { name: string };
  try {
    await must(place, { method: 'POST', path, body: object, fine: [201] });
    return `${of.kind} ${namespace}/${name} is there again`;
  } catch (error) {
    // Its address or node port may be another's by now.
    if (!(error instanceof BerthError) || of.kind !== 'Service' || !/allocated|in use/i.test(error.message))
      throw error;
    await must(place, { method: 'POST', path, body: withoutAddress(object), fine: [201] });
    return `${of.kind} ${namespace}/${name} is there again, with another address`;
  }
}

function withoutAddress(object: Record<string, unknown>): Record<string, unknown> {
  const { clusterIP: _ip, clusterIPs: _ips, ports, ...spec } = object['spec'] as Record<string, unknown>;
  const free = ((ports ?? []) as Record<string, unknown>[]).map(({ nodePort: _port, ...port }) => port);
  return { ...object, spec: { ...spec, ports: free } };
}

import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { fieldManager, getObject, Live as LiveObject, must } from '../../kube/client.ts';
import type { Live, Place } from '../../kube/client.ts';
import { nameOfObject, objectPath } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';

const Owned = z.looseObject({
  manager: z.string().nullish(),
  operation: z.string().nullish(),
  apiVersion: z.string().nullish(),
  subresource: z.string().nullish(),
  fieldsV1: z.record(z.string(), z.unknown()).nullish(),
});
type Owned = z.infer<typeof Owned>;

export const deploymentKind = { apiVersion: 'apps/v1', kind: 'Deployment' } as const;
const { apiVersion } = deploymentKind;
/** In whose name stays what was there before berth. */
const formerManager = 'before-berth';

/**
 * Makes berth the one that has set what others have set in the spec of an object, which itself stays as it is: what berth then
 * applies without is taken away, as it would be of its own. Who scales it keeps what is theirs.
 */
export async function takeOver(place: Place, live: Live): Promise<void> {
  await changeOwners(place, live, takenOver);
}

/** Leaves the spec to nobody's apply, where a change ended between `takeOver` and its own; else it does nothing. */
export async function handOn(place: Place, live: Live): Promise<void> {
  if (ownersOf(live).some((one) => isOwn(one) && isTaken(one))) await changeOwners(place, live, handedOn);
}

/** So often what is written in an object without its spec, as its state is, may come first. */
const mostTries = 10;

/** Whoever changes its spec meanwhile comes first: then it throws KUBE_REFUSED. */
async function changeOwners(
  place: Place,
  live: Live,
  change: (owned: readonly Owned[]) => Owned[],
): Promise<void> {
  const { name, uid, generation } = live.metadata;
  let now: Live = live;
  for (let tries = 1; ; tries += 1) {
    try {
      return await setOwners(place, now, change(ownersOf(now)));
    } catch (error) {
      const again = tries < mostTries && isOutdated(error);
      const read = again ? await getObject(place, { ...deploymentKind, name }, LiveObject) : null;
      if (read?.metadata.uid !== uid || read.metadata.generation !== generation) throw error;
      now = read;
    }
  }
}

function isOutdated(error: unknown): boolean {
  return error instanceof BerthError && error.code === 'KUBE_REFUSED' && statusOf(error) === 409;
}

function statusOf({ facts }: BerthError): unknown {
  return 'status' in facts ? facts.status : null;
}

function ownersOf({ metadata }: Live): Owned[] {
  return z.array(Owned).safeParse(metadata['managedFields']).data ?? [];
}

async function setOwners(place: Place, { metadata }: Live, owned: readonly Owned[]): Promise<void> {
  const path = objectPath(deploymentKind, place.namespace, metadata.name);
  const body = [
    { op: 'replace', path: '/metadata/resourceVersion', value: metadata['resourceVersion'] },
    { op: 'replace', path: '/metadata/managedFields', value: owned },
  ];
  await must(place, {
    method: 'PATCH',
    path,
    fine: [200],
    body,
    contentType: 'application/json-patch+json',
  });
}

/**
 * What the cluster would say once all of the spec is berth's and this is applied: then nothing of it stays that berth does not
 * write, which an apply alone could not tell. Nothing is changed.
 */
export async function tryTakenOver(place: Place, { metadata }: Live, object: KubeObject): Promise<void> {
  const path = objectPath(object, place.namespace, metadata.name);
  const { labels, annotations } = object.metadata;
  await must(place, {
    method: 'PATCH',
    path: `${path}?fieldManager=${fieldManager}&fieldValidation=Strict&dryRun=All`,
    fine: [200],
    named: nameOfObject(object),
    body: [
      { op: 'add', path: '/metadata/labels', value: { ...metadata.labels, ...labels } },
      { op: 'add', path: '/metadata/annotations', value: { ...metadata.annotations, ...annotations } },
      { op: 'replace', path: '/spec', value: object['spec'] },
    ],
    contentType: 'application/json-patch+json',
  });
}

/** The same fields with other owners. Pure. */
export function takenOver(owned: readonly Owned[]): Owned[] {
  const own = owned.find(isOwn);
  const others = owned.filter((one) => one !== own);
  const spec = others.filter(isTaken).map((one) => one.fieldsV1?.['f:spec']);
  const all = spec.reduce(union, own?.fieldsV1?.['f:spec']);
  const left = others.flatMap((one) => {
    if (!isTaken(one)) return [one];
    const { 'f:spec': _spec, ...rest } = one.fieldsV1 ?? {};
    return Object.keys(rest).length === 0 ? [] : [{ ...one, fieldsV1: rest }];
  });
  const fieldsV1 = { ...own?.fieldsV1, ...(all === undefined ? {} : { 'f:spec': all }) };
  const berth = { manager: fieldManager, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1' };
  return [...left, { ...berth, ...own, fieldsV1 }];
}

/** What berth has applied in the spec as what another one has once written there. Pure. */
export function handedOn(owned: readonly Owned[]): Owned[] {
  const rest = owned.filter((one) => !isOwn(one) && !isFormer(one));
  const [own, former] = [owned.find(isOwn), owned.find(isFormer)];
  const { 'f:spec': spec, ...kept } = own?.fieldsV1 ?? {};
  const both = union(former?.fieldsV1?.['f:spec'], spec);
  return [
    ...rest,
    ...(own ? [{ ...own, fieldsV1: kept }] : []),
    {
      manager: formerManager,
      operation: 'Update',
      apiVersion,
      fieldsType: 'FieldsV1',
      ...former,
      fieldsV1: { ...former?.fieldsV1, 'f:spec': both },
    },
  ];
}

function isFormer({ manager, operation, subresource }: Owned): boolean {
  return manager === formerManager && operation === 'Update' && !subresource;
}

function isOwn({ manager, operation, subresource }: Owned): boolean {
  return manager === fieldManager && operation === 'Apply' && !subresource;
}

/** Of another version of the kind, fields may be called otherwise. */
function isTaken(one: Owned): boolean {
  return !one.subresource && one.apiVersion === apiVersion && one.fieldsV1?.['f:spec'] !== undefined;
}

/** Fields are a tree of names; what either has, both have. */
function union(a: unknown, b: unknown): unknown {
  if (!isTree(a)) return b;
  if (!isTree(b)) return a;
  const both: Record<string, unknown> = { ...a };
  for (const [name, below] of Object.entries(b)) both[name] = union(both[name], below);
  return both;
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

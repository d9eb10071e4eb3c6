import { z } from 'zod';
import { fieldManager, must } from '../../kube/client.ts';
import type { Live, Place } from '../../kube/client.ts';
import { objectPath } from '../../kube/kinds.ts';

const Owned = z.looseObject({
  manager: z.string().nullish(),
  operation: z.string().nullish(),
  apiVersion: z.string().nullish(),
  subresource: z.string().nullish(),
  fieldsV1: z.record(z.string(), z.unknown()).nullish(),
});
type Owned = z.infer<typeof Owned>;

const apiVersion = 'apps/v1';

/**
 * Makes berth the one that has set what others have set in the spec of an object, which itself stays as it is: what berth then
 * applies without is taken away, as it would be of its own. Who scales it keeps what is theirs.
 */
export async function takeOver(place: Place, { metadata }: Live): Promise<void> {
  const owned = z.array(Owned).safeParse(metadata['managedFields']).data ?? [];
  const path = objectPath({ apiVersion, kind: 'Deployment' }, place.namespace, metadata.name);
  const body = [
    // Whoever changes it meanwhile comes first.
    { op: 'replace', path: '/metadata/resourceVersion', value: metadata['resourceVersion'] },
    { op: 'replace', path: '/metadata/managedFields', value: takenOver(owned) },
  ];
  await must(place, {
    method: 'PATCH',
    path,
    fine: [200],
    body,
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

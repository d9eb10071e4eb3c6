import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { KubeAnswer, KubeApi, KubeQuestion } from '../io/kube/kube-api.ts';
import { listPath, nameOfObject, objectPath } from './kinds.ts';
import type { KubeKind } from './kinds.ts';
import type { KubeObject } from './object.ts';
import { withSubjects } from './subjects.ts';

/** One namespace of a cluster. */
export interface Place {
  readonly api: KubeApi;
  readonly namespace: string;
}

/** Who berth is among those that own fields of objects. */
export const fieldManager = 'berth';

const Status = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({
      kind: z.string().optional(),
      name: z.string().optional(),
      causes: z
        .array(
          z.object({
            reason: z.string().optional(),
            message: z.string().optional(),
            field: z.string().optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});
type Status = z.infer<typeof Status>;

export const Meta = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
  generation: z.number().nullish(),
  finalizers: z.array(z.string()).nullish(),
  ownerReferences: z.array(z.object({ kind: z.string(), name: z.string(), uid: z.string() })).nullish(),
});

/** Any object as the server gives it back. */
export const Live = z.looseObject({ metadata: Meta });
export type Live = z.infer<typeof Live>;

const Known = z.object({ metadata: z.object({ uid: z.string() }) });

const List = z.object({
  metadata: z.object({ continue: z.string().nullish(), resourceVersion: z.string().nullish() }).nullish(),
  items: z.array(z.unknown()).nullish(),
});

const pageSize = 200;

/** Null when there is no such object. */
export async function getObject<T extends z.ZodType>(
  { api, namespace }: Place,
  kind: KubeKind & { readonly name: string },
  schema: T,
): Promise<z.infer<T> | null> {
  const path = objectPath(kind, namespace, kind.name);
  const answer = await api.ask('GET', path);
  if (answer.status === 404) return null;
  return expectForm(schema, fine(api, { method: 'GET', path, answer, fine: [200] }).json, path);
}

/** Its metadata alone, never what is in it; null when there is no such object. */
export async function getMetadata(
  { api, namespace }: Place,
  kind: KubeKind & { readonly name: string },
): Promise<z.infer<typeof Meta> | null> {
  const path = objectPath(kind, namespace, kind.name);
  const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  const answer = await api.ask('GET', path, { accept });
  if (answer.status === 404) return null;
  return expectForm(Live, fine(api, { method: 'GET', path, answer, fine: [200] }).json, path).metadata;
}

/** Objects of a kind with these labels, as this schema reads them. */
export interface Wanted<T extends z.ZodType> extends KubeKind {
  readonly labels: string;
  readonly schema: T;
}

/** All objects by their UIDs, as they were at a version of the whole kind. */
export interface Listed<T> {
  readonly objects: Map<string, T>;
  version: string;
}

/** All objects of a kind with these labels; a kind that the cluster does not know has none. */
export async function listObjects<T extends z.ZodType>(
  place: Place,
  kind: KubeKind & { readonly labels: string },
  schema: T,
): Promise<z.infer<T>[]> {
  const { objects } = await listAsOf(place, { ...kind, schema });
  return [...objects.values()];
}

/** The same, with the version from which changes of them can be followed. What the schema does not read is left out. */
export async function listAsOf<T extends z.ZodType>(
  { api, namespace }: Place,
  wanted: Wanted<T>,
): Promise<Listed<z.infer<T>>> {
  const objects = new Map<string, z.infer<T>>();
  let version = '';
  let next = '';
  do {
    const more = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    const path = `${listPath(wanted, namespace)}?limit=${pageSize}&labelSelector=${encodeURIComponent(wanted.labels)}${more}`;
    const answer = await api.ask('GET', path);
    if (answer.status === 404) break;
    const list = expectForm(List, fine(api, { method: 'GET', path, answer, fine: [200] }).json, path);
    for (const item of list.items ?? []) {
      const one = wanted.schema.safeParse(item).data;
      const { uid } = Known.safeParse(item).data?.metadata ?? { uid: String(objects.size) };
      if (one !== undefined) objects.set(uid, one);
    }
    version = list.metadata?.resourceVersion ?? version;
    next = list.metadata?.continue ?? '';
  } while (next !== '');
  return { objects, version };
}

/**
 * Server-side apply: berth owns the fields that it sends and no others. With `dryRun` the cluster defaults, admits and
 * refuses as it would, and nothing is changed. Throws KUBE_CONFLICT where somebody else owns such a field.
 */
export async function applyObject(
  { api, namespace }: Place,
  object: KubeObject,
  { dryRun = false, force = false, manager = fieldManager } = {},
): Promise<Live> {
  const query = `fieldManager=${manager}&fieldValidation=Strict${force ? '&force=true' : ''}${dryRun ? '&dryRun=All' : ''}`;
  const path = `${objectPath(object, namespace, object.metadata.name)}?${query}`;
  const body = withSubjects(object, namespace);
  const how: KubeQuestion = { body, contentType: 'application/apply-patch+yaml' };
  const answer = await api.ask('PATCH', path, how);
  if (answer.status === 200 || answer.status === 201) return expectForm(Live, answer.json, path);
  throw refusal(api, answer, {
    question: `apply ${nameOfObject(object)}`,
    object: nameOfObject(object),
    namespace,
  });
}

/** Deletes this very object, and what it owns before it; no fault when it is gone. */
export async function deleteObject(
  { api, namespace }: Place,
  kind: KubeKind,
  { name, uid }: { readonly name: string; readonly uid: string },
  { graceSeconds }: { graceSeconds?: number } = {},
): Promise<void> {
  const path = objectPath(kind, namespace, name);
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Foreground',
    preconditions: { uid },
    ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
  };
  const answer = await api.ask('DELETE', path, { body });
  // 409: another object of that name by now, which is not ours to delete.
  fine(api, { method: 'DELETE', path, answer, fine: [200, 202, 404, 409] });
}

/** One question where only these statuses are an answer; `named`: the object that it would apply. */
export async function must(
  { api }: Pick<Place, 'api'>,
  {
    method,
    path,
    fine: allowed,
    named,
    ...how
  }: { method: string; path: string; fine: readonly number[]; named?: string } & KubeQuestion,
): Promise<KubeAnswer> {
  return fine(api, { method, path, answer: await api.ask(method, path, how), fine: allowed, named });
}

function fine(
  api: KubeApi,
  asked: {
    method: string;
    path: string;
    answer: KubeAnswer;
    fine: readonly number[];
    named?: string | undefined;
  },
): KubeAnswer {
  const { method, path, answer, named } = asked;
  if (asked.fine.includes(answer.status)) return answer;
  const question = named === undefined ? `${method} ${path.split('?')[0]}` : `apply ${named}`;
  throw refusal(api, answer, { question, object: named ?? question, namespace: null });
}

function expectForm<T extends z.ZodType>(schema: T, json: unknown, path: string): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new BerthError('KUBE_REFUSED', {
    question: path.split('?')[0] ?? path,
    status: 200,
    answer: 'what it answers has not the form of an object',
  });
}

/** What a cluster says when it will not, by whose fault it is. */
export function refusal(
  { server }: KubeApi,
  { status, json }: KubeAnswer,
  about: { question: string; object: string; namespace: string | null },
): BerthError {
  const said: Status = Status.safeParse(json).data ?? {};
  const answer = (said.message ?? `it says no more than ${status}`).trim().replace(/\.$/, '');
  const { question, object, namespace } = about;
  const causes = said.details?.causes ?? [];
  if (status === 409 && causes.some(({ reason }) => reason === 'FieldManagerConflict'))
    return new BerthError('KUBE_CONFLICT', { object, conflicts: causes.map(conflictOf) });
  if (status === 403 && isQuota(answer)) return new BerthError('KUBE_QUOTA', { object, answer });
  const ending = /in namespace (\S+) because it is being terminated/.exec(answer)?.[1];
  if (ending !== undefined) return new BerthError('KUBE_NAMESPACE_ENDING', { namespace: ending, question });
  if (status === 403 && !isPolicy(answer)) return new BerthError('KUBE_FORBIDDEN', { question, answer });
  if (status === 404 && said.details?.kind === 'namespaces')
    return new BerthError('KUBE_NAMESPACE_MISSING', {
      namespace: said.details.name ?? namespace ?? '',
      server,
    });
  // Of a group that it does not know at all a server says nothing but that.
  if (status === 404 && (said.message === undefined || /could not find the requested resource/.test(answer)))
    return new BerthError('KUBE_KIND_MISSING', { question, server });
  return new BerthError('KUBE_REFUSED', { question, status, answer });
}

/** What is asked for is at fault then, and not who asks. */
function isPolicy(answer: string): boolean {
  return /admission webhook|denied the request|denied request|violates PodSecurity|(minimum|maximum) \S+ usage per/.test(
    answer,
  );
}

/** "Failed" is what a quota says of an object that does not say what it takes. */
export function isQuota(answer: string): boolean {
  return /(exceeded|failed) quota/.test(answer);
}

function conflictOf({ field, message }: { field?: string | undefined; message?: string | undefined }): {
  field: string;
  manager: string;
} {
  const manager = /conflict with "([^"]*)"/.exec(message ?? '')?.[1] ?? 'somebody else';
  return { field: (field ?? '').replace(/^\./, ''), manager };
}

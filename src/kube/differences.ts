import type { Drift } from '../targets/contract.ts';

/** What the cluster itself writes, or two questions a moment apart differ in. */
const own = new Set([
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.uid',
  'metadata.creationTimestamp',
  'metadata.annotations.deployment.kubernetes.io/revision',
  'status',
]);

/** In what two objects differ, field by field; lists of things that have names are compared by them. Pure. */
export function differencesOf(live: unknown, wanted: unknown, path = ''): Drift[] {
  if (own.has(path) || path.endsWith('berth.dev/restarted-at')) return [];
  const [a, b] = [byName(live), byName(wanted)];
  if (isObject(a) && isObject(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differencesOf(a[key], b[key], path === '' ? key : `${path}.${key}`),
    );
  const [is, was] = [text(live), text(wanted)];
  return is === was ? [] : [{ field: path, marked: was, live: is }];
}

function byName(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const names = value.map((one) => (isObject(one) && typeof one['name'] === 'string' ? one['name'] : null));
  if (names.includes(null) || names.length === 0) return value;
  return Object.fromEntries(names.map((name, i) => [name, value[i] as unknown]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
}

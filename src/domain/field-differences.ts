/** A field in which two values of plain data differ; a value that is not there is null. */
export interface FieldDifference {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** In what two values differ, field by field; lists of things that have names are compared by them. `skips`: paths that do not count. */
export function fieldDifferences(
  before: unknown,
  after: unknown,
  { path = '', skips = () => false }: { path?: string; skips?: (path: string) => boolean } = {},
): FieldDifference[] {
  if (skips(path)) return [];
  const [a, b] = [byName(before), byName(after)];
  if (isObject(a) && isObject(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      fieldDifferences(a[key], b[key], { path: path === '' ? key : `${path}.${key}`, skips }),
    );
  const [was, is] = [asText(before), asText(after)];
  return was === is ? [] : [{ field: path, before: was, after: is }];
}

/** The same as lines for people: "- " what was, "+ " what is. */
export function differenceLines(name: string, differences: readonly FieldDifference[]): string[] {
  return differences.flatMap(({ field, before, after }) => [
    ...(before === null ? [] : [`${name}: - ${field}: ${before}`]),
    ...(after === null ? [] : [`${name}: + ${field}: ${after}`]),
  ]);
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

function asText(value: unknown): string | null {
  return value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
}

import type { KubeObject } from '../kube/object.ts';
import { withSubjects } from '../kube/subjects.ts';
import { yamlOf } from './yaml.ts';

/** A part of an object that a release may choose. */
export interface Hole {
  readonly mark: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** One object of a chart; with `counted` it is there once for each replica that a release wants. */
export interface Template {
  readonly object: KubeObject;
  readonly holes: readonly Hole[];
  readonly counted: Counted | null;
  /** That of the first replica, where it says something that no other does: of objects that it alone has. */
  readonly first?: KubeObject;
}

export interface Counted {
  /** What the objects of the first replica are called. */
  readonly name: string;
  /** Where the release says how many. */
  readonly path: readonly string[];
}

/** A replica that no fleet has: where its number stands in an object, that of a release's own replica goes. */
export const someReplica = 990_017;

type Path = readonly (string | number)[];

/** Where an object says which image runs, and by what resources, by its kind. */
const engineParts: ReadonlyMap<string, Path> = new Map<string, Path>([
  ['Deployment', ['spec', 'template', 'spec', 'containers', 0]],
  ['ServingRuntime', ['spec', 'containers', 0]],
  ['InferenceService', ['spec', 'predictor', 'model']],
]);

/** `pods`: its number of pods is the release's, too. */
export function templateOf(
  object: KubeObject,
  place: readonly string[],
  { pods = false, counted = null }: { pods?: boolean; counted?: Counted | null } = {},
): Template {
  const part = engineParts.get(object.kind);
  if (!part) return { object: withSubjects(object, releaseNamespace), holes: [], counted };
  const { image, resources } = partAt(object, part);
  const inEngine = holesOf({ image, resources }, place);
  const inSpec = pods ? holesOf({ replicas: partAt(object, ['spec'])['replicas'] }, place) : [];
  const holed = withPart(withPart(object, part, marksIn(inEngine)), ['spec'], marksIn(inSpec));
  return { object: holed as KubeObject, holes: [...inEngine, ...inSpec], counted };
}

type Part = Readonly<Record<string, unknown>>;

function partAt(part: unknown, path: Path): Part {
  const [key, ...rest] = path;
  return key === undefined ? (part as Part) : partAt((part as Part)[key], rest);
}

/** The same with these fields in that place. */
function withPart(whole: unknown, path: Path, fields: Part): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return { ...(whole as Part), ...fields };
  if (Array.isArray(whole)) return whole.with(Number(key), withPart(whole[Number(key)], rest, fields));
  return { ...(whole as Part), [key]: withPart((whole as Part)[key], rest, fields) };
}

function holesOf(values: Readonly<Record<string, unknown>>, place: readonly string[]): Hole[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ mark: `berth-hole-${name}`, path: [...place, name], value }],
  );
}

function marksIn(holes: readonly Hole[]): Record<string, string> {
  return Object.fromEntries(holes.map(({ path, mark }) => [path.at(-1) ?? '', mark]));
}

const releaseNamespace = 'berth-hole-namespace';

export function templateText({ object, holes, counted, first }: Template): string {
  if (counted === null) return textOf(object, holes);
  const own = first === undefined ? null : textOf(first, holes);
  return forEachReplica(textOf(object, holes), counted, own);
}

/** What Helm would take for its own words is written so that it comes out as it stands. */
function textOf(object: KubeObject, holes: readonly Hole[]): string {
  let text = yamlOf(object)
    .replaceAll('{{', '{{ "{{" }}')
    .replace(releaseNamespace, '{{ $.Release.Namespace }}');
  for (const { mark, path, value } of holes) {
    const found = valueAt(path);
    text = text.replace(new RegExp(`^([ -]*)(\\S+): ${mark}$`, 'm'), (_, indent: string, key: string) => {
      if (typeof value === 'object')
        return `${indent}${key}:\n${' '.repeat(indent.length + 2)}{{- toYaml (${found}) | nindent ${indent.length + 2} }}`;
      return `${indent}${key}: {{ ${found}${typeof value === 'string' ? ' | quote' : ''} }}`;
    });
  }
  return text;
}

/** The first replica has no number in its names. `own`: its text, where it is another one. */
function forEachReplica(text: string, { name, path }: Counted, own: string | null): string {
  const each = `---\n${numbered(text, name, ['{{ $ending }}', '{{ $replica }}'])}`;
  return [
    `{{- range $replica := until (int (${valueAt(path)})) }}`,
    '{{- $ending := eq $replica 0 | ternary "" (printf "-%d" $replica) }}',
    own === null ? each : `{{- if eq $replica 0 }}\n---\n${own}{{- else }}\n${each}{{- end }}\n`,
    '{{- end }}\n',
  ]
    .join('\n')
    .replaceAll('\n\n{{- end }}', '\n{{- end }}');
}

/** What a text of `someReplica` is for another one, by the ending of its names and its number. */
function numbered(text: string, name: string, [ending, replica]: readonly [string, string]): string {
  return text
    .replaceAll(`${name}-${someReplica}`, () => `${name}${ending}`)
    .replaceAll(String(someReplica), () => replica);
}

/** Whether the object of `someReplica` is that of the first replica, but for names and the number. */
export function isOfFirst(same: KubeObject, first: KubeObject, name: string): boolean {
  return numbered(JSON.stringify(same), name, ['', '0']) === JSON.stringify(first);
}

function valueAt(path: readonly string[]): string {
  return `index $.Values ${path.map((part) => JSON.stringify(part)).join(' ')}`;
}

import { z } from 'zod';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { nameForm, nameRule } from '../../domain/fleet.ts';
import { nearest } from '../../domain/nearest.ts';
import {
  branchFor,
  bare,
  expected,
  knownKeys,
  knownWords,
  namesSecret,
  schemaAt,
  valueType,
} from './schema-walk.ts';
import { fault } from './fault.ts';
import { writtenElsewhere } from './written-elsewhere.ts';
import { entriesAt, pieceAt } from './tree.ts';
import type { Located } from './tree.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

/** Turns what zod found into faults at the very keys and values, in plain words. */
export function schemaFaults(
  schema: z.core.$ZodType,
  tree: Located,
  plain: unknown,
  issues: readonly Issue[],
): ConfigFault[] {
  const flat = issues.flatMap((issue) => flatten(schema, plain, issue, []));
  const unknown = flat.filter((issue) => issue.code === 'unrecognized_keys');
  return flat.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey(schema, tree, plain, path, key));
    if (pieceAt(tree, path) !== null) return [wrongValue(schema, tree, plain, issue, path)];
    // A misspelt key is one fault, not two.
    const misspelt = unknown.some(
      (other) =>
        samePath(other.path as Path, path.slice(0, -1)) &&
        other.keys.some(
          (key) => nearest(key, missingKeys(schema, tree, plain, path.slice(0, -1))) === path.at(-1),
        ),
    );
    return misspelt ? [] : [missing(schema, tree, plain, path)];
  });
}

/** The faults of the branch that a value means stand for those of its union. */
function flatten(schema: z.core.$ZodType, plain: unknown, issue: Issue, prefix: Path): Issue[] {
  const path = [...prefix, ...(issue.path as Path)];
  const here = { ...issue, path } as Issue;
  if (here.code === 'invalid_key') return [here, ...belowBadName(schema, plain, path)];
  if (here.code !== 'invalid_union' || here.errors.length === 0) return [here];
  const union = schemaAt(schema, plain, path);
  const bareUnion = union && bare(union);
  if (!bareUnion || !('options' in bareUnion)) return [here];
  const meant = branchFor(bareUnion, valueAt(plain, path));
  const index = (bareUnion.options as readonly z.core.$ZodType[]).findIndex(
    (option) => bare(option) === meant,
  );
  const inner = here.errors[index];
  return inner ? inner.flatMap((one) => flatten(schema, plain, one, path)) : [here];
}

/** What has a bad name is passed over by the schema, and is looked at all the same. */
function belowBadName(schema: z.core.$ZodType, plain: unknown, path: Path): Issue[] {
  const value = valueAt(plain, path);
  const below = schemaAt(schema, plain, path);
  const parsed = below ? z.safeParse(below, value, { jitless: true }) : null;
  return (parsed?.error?.issues ?? []).flatMap((issue) => flatten(schema, plain, issue, path));
}

function valueAt(plain: unknown, path: Path): unknown {
  let value = plain;
  for (const step of path) value = Reflect.get(Object(value), step);
  return value;
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, i) => String(step) === String(b[i]));
}

function missingKeys(schema: z.core.$ZodType, tree: Located, plain: unknown, path: Path): string[] {
  const here = schemaAt(schema, plain, path);
  const keys = here ? knownKeys(here, valueAt(plain, path)) : [];
  return keys.filter((key) => pieceAt(tree, [...path, key]) === null);
}

function unknownKey(
  schema: z.core.$ZodType,
  tree: Located,
  plain: unknown,
  path: Path,
  key: string,
): ConfigFault {
  const piece = pieceAt(tree, [...path, key]) as Located;
  const here = schemaAt(schema, plain, path);
  const known = here ? knownKeys(here, valueAt(plain, path)) : [];
  const free = missingKeys(schema, tree, plain, path);
  const close = nearest(key, free) ?? nearest(key, known);
  const instead = writtenElsewhere([...path.map(String), key]);
  // Where any key may be meant, a misspelt one comes first.
  if (instead && (instead.exact || close === null))
    return fault(piece, piece.keyAt, `Unknown key "${key}".`, instead.cure);
  const cure = close ? `Did you mean "${close}"?` : `Known here: ${known.join(', ')}.`;
  return fault(piece, piece.keyAt, `Unknown key "${key}".`, cure);
}

/** Something that must be there is not: told at the key of the map that lacks it. */
function missing(schema: z.core.$ZodType, tree: Located, plain: unknown, path: Path): ConfigFault {
  const parent = pieceAt(tree, path.slice(0, -1)) ?? tree;
  const here = schemaAt(schema, plain, path) ?? unionMember(schema, plain, path);
  const key = String(path.at(-1));
  // Without the kind of a union its other keys cannot be judged, so a misspelt "kind" shows only here.
  const meant = entriesAt(parent, []).find(([own]) => nearest(own, [key]) === key);
  if (meant) return fault(meant[1], meant[1].keyAt, `Unknown key "${meant[0]}".`, `Did you mean "${key}"?`);
  const words = here ? knownWords(here) : [];
  const what = words.length > 1 ? `one of ${words.join(', ')}` : here ? expected(here) : 'a value';
  return { ...fault(parent, parent.keyAt, `"${key}" is missing.`, `Add ${key}: ${what}.`) };
}

/** The key that tells the branches of a union apart has no single schema; the union itself names its words. */
function unionMember(schema: z.core.$ZodType, plain: unknown, path: Path): z.core.$ZodType | null {
  const parent = schemaAt(schema, plain, path.slice(0, -1));
  return parent && path.at(-1) === 'kind' ? parent : null;
}

/** A check of an engine's or a target's own may bring the cure along as a parameter. */
function cureOf(params: Record<string, unknown> | undefined): string {
  return typeof params?.['cure'] === 'string' ? params['cure'] : 'Change the value.';
}

function wrongValue(
  schema: z.core.$ZodType,
  tree: Located,
  plain: unknown,
  issue: Issue,
  path: Path,
): ConfigFault {
  const piece = pieceAt(tree, path) as Located;
  if (issue.code === 'invalid_key')
    return fault(piece, piece.keyAt, `"${String(path.at(-1))}" cannot be a name.`, nameRule);
  if (issue.code === 'too_small' && issue.origin === 'array')
    return fault(
      piece,
      piece.at,
      `${describe(valueAt(plain, path))} is not allowed here.`,
      `Write at least ${Number(issue.minimum) === 1 ? 'one entry' : `${issue.minimum} entries`}.`,
    );
  if (issue.code === 'custom') return fault(piece, piece.at, issue.message, cureOf(issue.params));
  const here = schemaAt(schema, plain, path) ?? unionMember(schema, plain, path);
  const value = valueAt(plain, path);
  if (issue.code === 'invalid_format' && issue.pattern === String(nameForm))
    return fault(piece, piece.at, `${describe(value)} cannot be a name.`, nameRule);
  const words = here ? knownWords(here) : [];
  if (here && namesSecret(here) && valueType(value) === 'mapping')
    return fault(
      piece,
      piece.at,
      'A Secret of a cluster is given to its pods alone, and this is read elsewhere.',
      `Write ${expected(here)}.`,
    );
  const shown = here && namesSecret(here) ? 'What stands here' : describe(value);
  const message = `${shown} is not allowed here.`;
  const close = typeof value === 'string' ? nearest(value, words) : null;
  if (close === value && close !== null)
    return fault(piece, piece.at, message, `Write ${asMeant(here, close)}.`);
  if (close) return fault(piece, piece.at, message, `Did you mean "${close}"? Allowed: ${words.join(', ')}.`);
  const allowed = words.length > 1 ? `one of ${words.join(', ')}` : here ? expected(here) : 'another value';
  return fault(piece, piece.at, message, `Write ${allowed}${allowed === 'text' ? formOf(issue) : ''}.`);
}

/** The right word in the wrong place: a kind where its mapping is wanted, or a number as text. */
function asMeant(schema: z.core.$ZodType | null, word: string): string {
  return schema && bare(schema) instanceof z.ZodDiscriminatedUnion
    ? `{kind: ${word}}`
    : `${word}, without quotation marks`;
}

/** What text has to look like, where the schema says so and has no example. */
function formOf(issue: Issue): string {
  if (issue.code !== 'invalid_format') return '';
  if ('prefix' in issue) return ` that begins with ${JSON.stringify(issue.prefix)}`;
  return issue.pattern === undefined ? '' : ` of the form ${issue.pattern}`;
}

function describe(value: unknown): string {
  const type = valueType(value);
  if (Array.isArray(value) && value.length === 0) return 'An empty list';
  if (type === 'mapping' || type === 'list') return `A ${type}`;
  if (type === 'nothing') return 'An empty value';
  return type === 'text' ? JSON.stringify(value) : String(value);
}

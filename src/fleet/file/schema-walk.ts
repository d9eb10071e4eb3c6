import { z } from 'zod';

/** What a schema says about one place, for the text of a fault. Only walked when there is one. */

/** Takes off what does not change the shape: optional, default, transform. */
export function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly)
    return bare(schema.unwrap());
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return bare(schema.unwrap());
  if (schema instanceof z.ZodPipe) return bare(schema.in);
  if (schema instanceof z.ZodLazy) return bare(schema.unwrap());
  return schema;
}

/** The schema at a path below `schema`; the value decides which branch of a union is meant. Null when the path leaves it. */
export function schemaAt(
  schema: z.core.$ZodType,
  value: unknown,
  path: readonly (string | number)[],
): z.core.$ZodType | null {
  const [step, ...rest] = path;
  if (step === undefined) return schema;
  const here = branchFor(bare(schema), value);
  const below = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  if (here instanceof z.ZodObject) {
    const shape = here.shape as Record<string, z.core.$ZodType>;
    const next = Object.hasOwn(shape, step) ? shape[step] : undefined;
    return next ? schemaAt(next, below, rest) : null;
  }
  if (here instanceof z.ZodRecord) return schemaAt(here.valueType, below, rest);
  if (here instanceof z.ZodArray) return schemaAt(here.element, below, rest);
  return null;
}

/** The branch of a union that a value means: by its `kind`, else by its type. */
export function branchFor(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options.map(bare);
  const found = options.find((option) =>
    schema instanceof z.ZodDiscriminatedUnion
      ? kindOf(option, schema.def.discriminator) === Reflect.get(Object(value), schema.def.discriminator)
      : typeName(option) === valueType(value),
  );
  return found ? branchFor(found, value) : schema;
}

function kindOf(option: z.core.$ZodType, discriminator: string): unknown {
  if (!(option instanceof z.ZodObject)) return undefined;
  const literal = bare((option.shape as Record<string, z.core.$ZodType>)[discriminator] ?? option);
  return literal instanceof z.ZodLiteral ? literal.value : undefined;
}

/** Keys that a map may have here; empty when any will do. */
export function knownKeys(schema: z.core.$ZodType, value: unknown): string[] {
  const here = branchFor(bare(schema), value);
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

/** Words that may stand here, when only some may: kinds of a union, members of an enumeration. */
export function knownWords(schema: z.core.$ZodType): string[] {
  const here = bare(schema);
  if (here instanceof z.ZodEnum) return here.options.map(String);
  if (here instanceof z.ZodLiteral) return [...here.values].map(String);
  if (here instanceof z.ZodDiscriminatedUnion)
    return here.options
      .map((option) => kindOf(bare(option), here.def.discriminator))
      .filter((kind) => kind !== undefined)
      .map(String);
  return [];
}

/** "a whole number from 1 to 64", "text such as "30s"": what may stand here. */
export function expected(schema: z.core.$ZodType): string {
  const here = bare(schema);
  const examples = examplesOf(schema);
  const such =
    examples.length > 0 ? ` such as ${examples.map((one) => JSON.stringify(one)).join(' or ')}` : '';
  if (here instanceof z.ZodUnion && !(here instanceof z.ZodDiscriminatedUnion))
    return [...new Set(here.options.map(expected))].join(', or ');
  const words = knownWords(here);
  if (words.length > 0 && !(here instanceof z.ZodDiscriminatedUnion))
    return words.length === 1 ? String(words[0]) : `one of ${words.join(', ')}`;
  if (here instanceof z.ZodNumber) return `${numberText(here)}${such}`;
  const text: Record<string, string> = {
    text: `text${such}`,
    switch: 'true or false',
    list: here instanceof z.ZodArray ? listText(here) : 'a list',
    mapping: mappingText(here),
  };
  return text[typeName(here)] ?? 'another value';
}

function listText(list: z.ZodArray): string {
  const example = examplesOf(list.element)[0];
  return example === undefined ? 'a list' : `a list such as [${JSON.stringify(example)}]`;
}

/** "a mapping (keys with values, of local, ssh, kubernetes)": its keys where they are few enough to be read. */
function mappingText(schema: z.core.$ZodType): string {
  const keys = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const known = keys.length > 0 && keys.length <= 8 ? `, of ${keys.join(', ')}` : '';
  return `a mapping (keys with values${known})`;
}

/** Whether a value there says where a secret lies; a wrong one may be the secret itself. */
export function namesSecret(schema: z.core.$ZodType): boolean {
  return examplesOf(schema).some((one) => String(one).startsWith('${env:'));
}

function examplesOf(schema: z.core.$ZodType): unknown[] {
  for (let here = schema; ;) {
    const examples = z.globalRegistry.get(here)?.['examples'];
    if (Array.isArray(examples)) return examples.slice(0, 2);
    const next = here instanceof z.ZodPipe ? here.in : inner(here);
    if (next === here) return [];
    here = next;
  }
}

function inner(schema: z.core.$ZodType): z.core.$ZodType {
  const wraps =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return wraps ? schema.unwrap() : schema;
}

function numberText(schema: z.ZodNumber): string {
  const whole = schema.format?.includes('int') ?? false;
  const min = bound(schema.minValue);
  const high = bound(schema.maxValue);
  const open = min !== null && !schema.safeParse(min).success && (high === null || min < high);
  const low = open && whole ? min + 1 : min;
  const name = whole ? 'a whole number' : 'a number';
  if (low === null) return high === null ? name : `${name} up to ${high}`;
  if (open && !whole) return `${name} above ${low}${high === null ? '' : `, up to ${high}`}`;
  return high === null ? `${name} from ${low} up` : `${name} from ${low} to ${high}`;
}

/** Limits of the format itself (safe integers) say nothing to a user. */
function bound(value: unknown): number | null {
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : null;
}

function typeName(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return 'text';
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'switch';
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return 'mapping';
  if (schema instanceof z.ZodDiscriminatedUnion) return 'mapping';
  return 'other';
}

export function valueType(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'object') return 'mapping';
  if (typeof value === 'boolean') return 'switch';
  return typeof value === 'number' || typeof value === 'bigint' ? 'number' : 'text';
}

/** The parts of JSON Schema that zod writes for the fleet file. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/**
 * Markdown for one object of the schema and all objects below it: a heading with the path, a sentence, a table of keys.
 * `path` is written as in the fleet file, with NAME where the user names things.
 */
export function schemaTables(schema: Schema, path = ''): string {
  const object = objectBelow(schema, path);
  if (!object) return '';
  const { properties = {}, required = [], description } = object.schema;
  const rows = Object.entries(properties).map(([key, value]) => row(key, value, required.includes(key)));
  const heading = object.path === '' ? '### The file' : `### \`${object.path}\``;
  const table = ['| key | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
  const below = Object.entries(properties).map(([key, value]) => variants(value, join(object.path, key)));
  return [heading, description ?? '', table, ...below].filter((part) => part !== '').join('\n\n');
}

/** Kinds of a union become a section each; anything else is one section or none. */
function variants(schema: Schema, path: string): string {
  const all = schema.oneOf ?? schema.anyOf ?? [];
  const options = all.filter((option) => objectBelow(option, path) && !isInline(option));
  if (options.length === 0 && all.length > 0) return '';
  if (options.length === 0) return schemaTables(schema, path);
  return options.map((option) => schemaTables(option, withKind(option, path))).join('\n\n');
}

function withKind(schema: Schema, path: string): string {
  const kind = kindOf(schema);
  return kind === undefined ? path : `${path} (kind: ${kind})`;
}

/** The object itself, or what a record (`NAME:`) or an array holds; undefined for plain values. */
function objectBelow(schema: Schema, path: string): { schema: Schema; path: string } | undefined {
  if (schema.properties) return { schema, path };
  const inside = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  if (inside?.properties) return { schema: inside, path: join(path, 'NAME') };
  if (schema.items?.properties) return { schema: schema.items, path: `${path}[]` };
  return undefined;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function row(key: string, schema: Schema, required: boolean): string {
  const fallback = schema.default === undefined || isEmpty(schema.default) ? '' : code(schema.default);
  const cells = [
    `\`${key}\`${required ? ' (required)' : ''}`,
    valueText(schema),
    fallback,
    capital(schema.description ?? ''),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function valueText(schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(', ');
  const options = schema.oneOf ?? schema.anyOf;
  if (options)
    return [
      ...new Set(options.map((option) => kindText(option) ?? inlineText(option) ?? valueText(option))),
    ].join(' or ');
  if (schema.examples) return `such as ${schema.examples.map(code).join(', ')}`;
  if (schema.type === 'array') return `list of ${schema.items ? valueText(schema.items) : 'anything'}`;
  if (schema.type === 'object') return objectText(schema);
  if (schema.type === 'integer' || schema.type === 'number') return numberText(schema);
  if (schema.type === 'boolean') return '`true`, `false`';
  return schema.type === 'string' ? 'text' : 'anything';
}

function kindText(schema: Schema): string | undefined {
  const kind = kindOf(schema);
  return kind === undefined ? undefined : `kind ${code(kind)}`;
}

function kindOf(schema: Schema): string | undefined {
  const kind = schema.properties?.['kind']?.const;
  return typeof kind === 'string' ? kind : undefined;
}

/** An object that is one of several shapes and has few keys is said in the row itself. */
function isInline(schema: Schema): boolean {
  return kindOf(schema) === undefined && Object.keys(schema.properties ?? {}).length === 1;
}

function inlineText(schema: Schema): string | undefined {
  if (!schema.properties || !isInline(schema)) return undefined;
  const keys = Object.entries(schema.properties).map(
    ([key, value]) => `${key}: ${valueText(value).replaceAll('`', '')}`,
  );
  return code(`{${keys.join(', ')}}`);
}

function objectText(schema: Schema): string {
  if (schema.properties) return 'keys below';
  const inside = schema.additionalProperties;
  if (typeof inside !== 'object' || Object.keys(inside).length === 0) return 'any keys';
  return inside.properties ? 'by name, keys below' : `by name: ${valueText(inside)}`;
}

function numberText(schema: Schema): string {
  const noun = schema.type === 'integer' ? 'whole number' : 'number';
  const least =
    schema.minimum !== undefined
      ? `${schema.minimum} or more`
      : schema.exclusiveMinimum !== undefined
        ? `above ${schema.exclusiveMinimum}`
        : '';
  const bounded = schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER;
  if (bounded && schema.minimum !== undefined) return `${noun}, ${schema.minimum} to ${schema.maximum}`;
  return least === '' ? noun : `${noun}, ${least}`;
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

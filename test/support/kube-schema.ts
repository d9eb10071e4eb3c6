import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { z } from 'zod';

/**
 * What an API server of Kubernetes says of its own objects (GET /openapi/v3, one gzip file a group version), and definitions
 * of kinds that are added to one (CRDs), in the folder that BERTH_SPECS names, or beside this repository. They are not part
 * of it: tests that need them skip by name.
 */
export const specsFolder = [
  process.env['BERTH_SPECS'],
  join(import.meta.dirname, '../../../shared/facts/specs'),
].find((folder) => folder && existsSync(join(folder, 'kubernetes-openapi')));

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly [extension: `x-${string}`]: unknown;
}

const Dump = z.object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) });

const Crd = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(
      z.object({
        name: z.string(),
        schema: z.object({ openAPIV3Schema: z.record(z.string(), z.unknown()) }),
      }),
    ),
  }),
});

const Versioned = z.object({ apiVersion: z.string(), kind: z.string() });

interface Known {
  readonly schema: Schema;
  readonly named: Readonly<Record<string, unknown>>;
}

const known = new Map<string, Known>();

/** Everything in an object that a strict server would not take, each with its path. An unknown kind is a fault. */
export function kubeFaults(object: unknown): string[] {
  const { apiVersion, kind } = Versioned.parse(object);
  const key = `${apiVersion} ${kind}`;
  const found = known.get(key) ?? findKind(apiVersion, kind);
  if (!found) return [`there is no ${key}`];
  known.set(key, found);
  return faultsAt(object, found.schema, { path: kind, named: found.named });
}

/** Whether its definition lies there; those of others than Kubernetes itself may not. */
export function hasKind(apiVersion: string, kind: string): boolean {
  return specsFolder !== undefined && findKind(apiVersion, kind) !== null;
}

function findKind(apiVersion: string, kind: string): Known | null {
  const folder = specsFolder ?? '';
  const group = apiVersion.includes('/') ? `apis_${apiVersion.replace('/', '_')}` : `api_${apiVersion}`;
  const dump = join(folder, 'kubernetes-openapi', `${group}.json.gz`);
  if (existsSync(dump)) {
    const { schemas } = Dump.parse(JSON.parse(gunzipSync(readFileSync(dump)).toString('utf8'))).components;
    const [name = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const schema = Object.values(schemas).find((one) =>
      kindsOf(one).some((own) => own.group === name && own.version === version && own.kind === kind),
    );
    return schema === undefined ? null : { schema: schema as Schema, named: schemas };
  }
  const [group2 = '', version] = apiVersion.split('/');
  const file = join(folder, `${group2}_${kind.toLowerCase()}s.yaml`);
  if (!existsSync(file)) return null;
  const { spec } = Crd.parse(parse(readFileSync(file, 'utf8')));
  const found = spec.versions.find(({ name }) => name === version);
  return found ? { schema: found.schema.openAPIV3Schema, named: {} } : null;
}

const Kinds = z.array(z.object({ group: z.string(), version: z.string(), kind: z.string() }));

function kindsOf(schema: unknown): z.infer<typeof Kinds> {
  return Kinds.safeParse((schema as Schema)['x-kubernetes-group-version-kind']).data ?? [];
}

interface At {
  readonly path: string;
  readonly named: Readonly<Record<string, unknown>>;
}

function faultsAt(value: unknown, schema: Schema, at: At): string[] {
  const { path, named } = at;
  if (schema.$ref !== undefined)
    return faultsAt(value, named[schema.$ref.replace('#/components/schemas/', '')] as Schema, at);
  if (value === null) return [`${path} is null`];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices && !choices.some((one) => faultsAt(value, one, at).length === 0))
    return [`${path} is none of what it may be`];
  return [
    ...(schema.allOf ?? []).flatMap((one) => faultsAt(value, one, at)),
    ...typeFaults(value, schema, path),
    ...partFaults(value, schema, at),
  ];
}

function typeFaults(value: unknown, schema: Schema, path: string): string[] {
  const faults: string[] = [];
  if (schema.enum && !schema.enum.includes(value))
    faults.push(`${path} is not one of ${schema.enum.join(', ')}`);
  if (schema.pattern !== undefined && typeof value === 'string' && !new RegExp(schema.pattern).test(value))
    faults.push(`${path} does not match ${schema.pattern}`);
  const free = schema['x-kubernetes-int-or-string'] === true || schema.type === undefined;
  const is = Array.isArray(value)
    ? 'array'
    : Number.isInteger(value) && schema.type === 'integer'
      ? 'integer'
      : typeof value;
  if (!free && is !== schema.type) faults.push(`${path} is a ${is}, not a ${schema.type}`);
  return faults;
}

function partFaults(value: unknown, schema: Schema, { path, named }: At): string[] {
  if (Array.isArray(value) && schema.items)
    return value.flatMap((one, i) => faultsAt(one, schema.items as Schema, { path: `${path}[${i}]`, named }));
  if (typeof value !== 'object' || Array.isArray(value) || !value) return [];
  const missing = (schema.required ?? []).filter((name) => !(name in value));
  const { additionalProperties: more, properties } = schema;
  const open = !properties || schema['x-kubernetes-preserve-unknown-fields'] === true || more === true;
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, part]) => {
      const inner = { path: `${path}.${name}`, named };
      const own = properties?.[name];
      if (own) return faultsAt(part, own, inner);
      if (typeof more === 'object') return faultsAt(part, more, inner);
      return open ? [] : [`${inner.path} is unknown`];
    }),
  ];
}

import type { Template } from './helm-template.ts';

type Tree = Record<string, unknown>;

/** More than anybody has: a number that is mistyped is told, and not made. */
const mostReplicas = 1000;

/** What a release gets that chooses nothing: all as the fleet file has it. */
export function valuesOf(templates: readonly Template[], counts: ReadonlyMap<string, number>): Tree {
  const values: Tree = {};
  for (const [name, replicas] of counts) put(values, ['deployments', name, 'replicas'], replicas);
  for (const { path, value } of templates.flatMap(({ holes }) => holes)) put(values, path, value);
  return values;
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const part of path.slice(0, -1)) {
    // A deployment may be called "constructor".
    if (!Object.hasOwn(at, part)) at[part] = {};
    at = at[part] as Tree;
  }
  at[path.at(-1) ?? ''] = value;
}

/** What Helm holds a release's values against before it sends anything. */
export function valuesSchema(values: Tree): Tree {
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...treeSchema(values, { global: {} }) };
}

function treeSchema(tree: Tree, more: Tree = {}): Tree {
  const properties = Object.fromEntries(
    Object.entries(tree).map(([key, inner]) => [key, schemas.get(key)?.(inner) ?? treeSchema(inner as Tree)]),
  );
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(tree),
    properties: { ...properties, ...more },
  };
}

const amounts = { type: 'object', additionalProperties: { type: ['string', 'number'] } };

const amountsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { requests: amounts, limits: amounts, claims: { type: 'array' } },
};

/** By the last word of a value's path. A deployment may be called so, too: its inner value tells. */
const schemas: ReadonlyMap<string, (inner: unknown) => Tree | null> = new Map<
  string,
  (inner: unknown) => Tree | null
>([
  ['image', (inner) => (typeof inner === 'string' ? { type: 'string', minLength: 1 } : null)],
  [
    'replicas',
    (inner) => (typeof inner === 'number' ? { type: 'integer', minimum: 0, maximum: mostReplicas } : null),
  ],
  ['resources', (inner) => (isPart(inner) ? null : amountsSchema)],
]);

/** Values of a deployment, in place of amounts. */
function isPart(inner: unknown): boolean {
  return typeof inner === 'object' && inner !== null && ('image' in inner || 'resources' in inner);
}

import http from 'node:http';
import type { AddressInfo } from 'node:net';

interface Kept {
  readonly id: string;
  readonly kind: 'model' | 'version' | 'artifact';
  readonly parent: string | null;
  name: string;
  externalId?: string;
  description?: string;
  customProperties: Record<string, unknown>;
  [more: string]: unknown;
}

export interface ModelRegistry {
  readonly url: string;
  readonly entities: Kept[];
  /** "METHOD path" of every request that was let in. */
  readonly asked: string[];
  /** Called once before the next PATCH is carried out, as somebody else who writes at the same time. */
  meanwhile: (() => void) | null;
  readonly close: () => Promise<void>;
}

const valueKeys: Readonly<Record<string, string>> = {
  MetadataDoubleValue: 'double_value',
  MetadataIntValue: 'int_value',
  MetadataStringValue: 'string_value',
  MetadataBoolValue: 'bool_value',
};

/**
 * A Model Registry at the wire, as its description says: versions of a model, artifacts of a version, properties with exactly one
 * value and its type, a change that replaces all properties, and a conflict for a name or an id that is taken.
 */
export async function startModelRegistry({
  version = 'v1',
  token = null,
}: { version?: 'v1' | 'v1alpha3'; token?: string | null } = {}): Promise<ModelRegistry> {
  const entities: Kept[] = [];
  const asked: string[] = [];
  const server = http.createServer((request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const [status, body] = answer(request, Buffer.concat(parts).toString());
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });

  function answer(request: http.IncomingMessage, text: string): [number, object] {
    if (token !== null && request.headers.authorization !== `Bearer ${token}`)
      return [401, { code: 'Unauthorized', message: `${request.headers.authorization} is not let in` }];
    const url = new URL(request.url ?? '/', 'http://registry');
    const root = `/prefix/api/model_registry/${version}/`;
    if (!url.pathname.startsWith(root)) return [404, { code: 'Not Found', message: 'no such path' }];
    const path = url.pathname.slice(root.length);
    asked.push(`${request.method} ${path}`);
    if (request.method === 'GET') return found(path, url.searchParams);
    const body = JSON.parse(text) as Partial<Kept>;
    const wrong = Object.entries(body.customProperties ?? {}).find(([, value]) => !isProperty(value));
    if (wrong) return [400, { code: 'Bad Request', message: `metadataType not found for ${wrong[0]}` }];
    return request.method === 'POST' ? made(path, body) : changed(path, body);
  }

  function found(path: string, query: URLSearchParams): [number, object] {
    if (path === 'registered_models') return [200, { items: [], size: 0, pageSize: 1, nextPageToken: '' }];
    const kinds: Record<string, Kept['kind']> = {
      registered_model: 'model',
      model_version: 'version',
      artifact: 'artifact',
    };
    const [name, externalId] = [query.get('name'), query.get('externalId')];
    if (path === 'model_version' && name !== null && query.get('parentResourceId') === null)
      return [400, { code: 'Bad Request', message: 'parentResourceId is required' }];
    const one = entities.find(
      (each) =>
        each.kind === kinds[path] &&
        (name === null || each.name === name) &&
        (externalId === null || each.externalId === externalId) &&
        (query.get('parentResourceId') ?? each.parent) === each.parent,
    );
    return one ? [200, shown(one)] : [404, { code: 'Not Found', message: `no ${path} found` }];
  }

  function made(path: string, body: Partial<Kept>): [number, object] {
    const [, versionId] = /^model_versions\/(\d+)\/artifacts$/.exec(path) ?? [];
    const kind = versionId ? 'artifact' : path === 'model_versions' ? 'version' : 'model';
    const parent = versionId ?? (body['registeredModelId'] as string | undefined) ?? null;
    const taken = entities.some(
      (one) =>
        one.kind === kind &&
        ((one.name === body.name && one.parent === parent) ||
          (body.externalId !== undefined && one.externalId === body.externalId)),
    );
    if (taken) return [409, { code: 'Conflict', message: 'already exists' }];
    const id = String(entities.length + 1);
    const entity = { customProperties: {}, ...body, id, kind, parent, name: body.name ?? '' } as Kept;
    entities.push(entity);
    return [kind === 'artifact' ? 200 : 201, shown(entity)];
  }

  function changed(path: string, body: Partial<Kept>): [number, object] {
    self.meanwhile?.();
    self.meanwhile = null;
    const [, id] = /^(?:model_versions|artifacts)\/(\d+)$/.exec(path) ?? [];
    const entity = entities.find((one) => one.id === id);
    if (!entity) return [404, { code: 'Not Found', message: 'no such entity' }];
    Object.assign(entity, body);
    return [200, shown(entity)];
  }

  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const self: ModelRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`,
    entities,
    asked,
    meanwhile: null,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return self;
}

function isProperty(value: unknown): boolean {
  const { metadataType, ...rest } = value as Record<string, unknown>;
  const key = valueKeys[String(metadataType)];
  return key !== undefined && Object.keys(rest).join() === key;
}

function shown({ kind: _kind, parent: _parent, ...entity }: Kept): object {
  return entity;
}

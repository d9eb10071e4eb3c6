import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';

const timeoutMs = 60_000;

/** As the registry writes a value of a property; exactly one key beside its type. */
export type Property =
  | { readonly metadataType: 'MetadataDoubleValue'; readonly double_value: number }
  | { readonly metadataType: 'MetadataIntValue'; readonly int_value: string }
  | { readonly metadataType: 'MetadataStringValue'; readonly string_value: string };
export type Properties = Readonly<Record<string, unknown>>;

const Entity = z.object({
  id: z.string(),
  description: z.string().nullish(),
  customProperties: z.record(z.string(), z.unknown()).nullish(),
});
export type Entity = z.infer<typeof Entity>;

/** Whoever talks to one registry, by the version of the API that it has. */
export interface RegistryClient {
  /** Null where there is none: a registry answers 404 then. */
  readonly find: (path: string, query: Readonly<Record<string, string>>) => Promise<Entity | null>;
  /** A conflict gives null: somebody else was faster, or it was there. */
  readonly create: (path: string, body: object) => Promise<Entity | null>;
  readonly change: (path: string, body: object) => Promise<Entity>;
}

interface Access {
  readonly base: string;
  readonly token: string | null;
  readonly ca: string | null;
}

/** v1 where the registry has it, else v1alpha3. Throws PUBLISH_FAILED where neither answers. */
export async function openRegistry(world: World, access: Access): Promise<RegistryClient> {
  for (const version of ['v1', 'v1alpha3']) {
    const root = `${access.base.replace(/\/+$/, '')}/api/model_registry/${version}`;
    const { status, text } = await ask(world, access, {
      method: 'GET',
      url: `${root}/registered_models?pageSize=1`,
    });
    if (status === 200) return clientOf(world, access, root);
    if (status !== 404) throw refused(access, status, text);
  }
  throw new BerthError('PUBLISH_FAILED', {
    place: access.base,
    reason: 'it is no model registry: neither of the versions v1 and v1alpha3 of its API is there',
  });
}

function clientOf(world: World, access: Access, root: string): RegistryClient {
  async function send(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string }> {
    return ask(world, access, {
      method,
      url: `${root}/${path}`,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }
  return {
    find: async (path, query) => {
      const { status, text } = await send('GET', `${path}?${new URLSearchParams(query).toString()}`);
      return status === 404 ? null : read(access, status, text);
    },
    create: async (path, body) => {
      const { status, text } = await send('POST', path, body);
      return status === 409 ? null : read(access, status, text);
    },
    change: async (path, body) => {
      const { status, text } = await send('PATCH', path, body);
      return read(access, status, text);
    },
  };
}

async function ask(
  world: World,
  { base, token, ca }: Access,
  { method, url, body }: { method: string; url: string; body?: string },
): Promise<{ status: number; text: string }> {
  try {
    return await world.http.request(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      },
      timeoutMs,
      ...(body === undefined ? {} : { body }),
      ...(ca === null ? {} : { ca }),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('PUBLISH_FAILED', { place: base, reason }, { cause });
  }
}

/** An artifact that is made answers 200 in place of 201. */
function read(access: Access, status: number, text: string): Entity {
  if (status !== 200 && status !== 201) throw refused(access, status, text);
  try {
    return Entity.parse(JSON.parse(text));
  } catch (cause) {
    throw new BerthError(
      'PUBLISH_FAILED',
      { place: access.base, reason: 'it answers what no model registry does' },
      { cause },
    );
  }
}

const Refusal = z.object({ message: z.string() });

/** A server may repeat the token that it was shown: only its own message is told, without it. */
function refused({ base, token }: Access, status: number, text: string): BerthError {
  let said = '';
  try {
    said = Refusal.safeParse(JSON.parse(text)).data?.message ?? '';
  } catch {
    // A proxy answers in another form.
  }
  const plain = token === null ? said : said.replaceAll(token, '[secret]');
  const why = status === 401 || status === 403 ? ': the token is not let in' : '';
  return new BerthError('PUBLISH_FAILED', {
    place: base,
    reason: `it answers ${status}${why}${plain === '' ? '' : ` ("${plain.slice(0, 200)}")`}`,
  });
}

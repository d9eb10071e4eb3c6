import { ApiError } from '../../domain/openai.ts';
import type { Endpoint } from '../../domain/endpoints.ts';
import { methodFault } from '../front/endpoints.ts';

/** Where a stored response lies: in the memory of one engine. */
export interface Holder {
  /** Name of the route that was asked for. */
  readonly model: string;
  readonly deployment: string;
  /** Id of the instance. */
  readonly instance: string;
  /** Id of the caller: nobody else may have it. */
  readonly key: string;
}

/** More than these are forgotten, those first that were asked for longest ago. */
const mostRemembered = 10_000;

/** Which engine answered which stored response, since this process began. */
export class StoredResponses {
  readonly #holders = new Map<string, Holder>();

  get size(): number {
    return this.#holders.size;
  }

  remember(id: string, holder: Holder): void {
    this.#holders.delete(id);
    this.#holders.set(id, holder);
    if (this.#holders.size <= mostRemembered) return;
    const oldest = this.#holders.keys().next();
    if (!oldest.done) this.#holders.delete(oldest.value);
  }

  /** Null for one that is not known, or not this caller's. */
  holderOf(id: string, key: string): Holder | null {
    const holder = this.#holders.get(id);
    if (holder?.key !== key) return null;
    this.remember(id, holder);
    return holder;
  }
}

/** How requests for stored responses are counted. */
export const storedEndpoint: Endpoint = {
  path: '/v1/responses/ID',
  what: 'A stored response',
  operation: 'stored_response',
  body: 'json',
  modelOptional: false,
  usageInStream: false,
  dialect: 'responses',
  same: ['/v1/responses'],
};

const storedPath = /^\/v1\/responses\/([\w-]{1,256})(?:\/(cancel|input_items))?$/;

/** The response that a path asks for; null for other paths. Throws ApiError 405. */
export function storedAsk(method: string, path: string): string | null {
  const [, id, part] = storedPath.exec(path) ?? [];
  if (id === undefined) return null;
  const allowed = part === 'cancel' ? ['POST'] : part === 'input_items' ? ['GET'] : ['GET', 'DELETE'];
  if (!allowed.includes(method)) throw methodFault(method, path, allowed.join(', '));
  return id;
}

export function responseUnknown(id: string): ApiError {
  return unknown(
    id,
    'This gateway knows of those that engines have answered through it since it was started, with the same key.',
  );
}

export function holderGone(id: string): ApiError {
  return unknown(id, 'It was in the memory of an engine that serves here no longer.');
}

function unknown(id: string, why: string): ApiError {
  return new ApiError({
    status: 404,
    type: 'invalid_request_error',
    code: 'response_not_found',
    message: `There is no stored response "${id}". ${why}`,
  });
}

/** The id of a response at the beginning of its reply, whole or a stream. Quotes within a text are escaped, so that none there is taken for it. */
export function responseIdIn(text: string): string | null {
  return /"id"\s*:\s*"(resp_[\w-]{1,251})"/.exec(text)?.[1] ?? null;
}

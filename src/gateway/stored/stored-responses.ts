import { ApiError } from '../../domain/openai.ts';
import type { Endpoint } from '../../domain/endpoints.ts';
import { methodFault } from '../front/endpoints.ts';
import type { SharedHolders } from './shared-holders.ts';

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

/** What several gateways know together, and how they name an engine. */
export interface StoredTogether {
  /** Null: this gateway is alone. */
  readonly holders: () => SharedHolders | null;
  readonly engineOf: (instance: string) => string | null;
  /** Null for an engine that this gateway does not send to. */
  readonly instanceOf: (engine: string) => string | null;
}

/** Which engine answered which stored response: since this process began, or as other gateways know. */
export class StoredResponses {
  readonly #holders = new Map<string, Holder>();
  /** Until the shared store has said of these whose they are. */
  readonly #asked = new Map<string, Promise<void>>();
  readonly #together: StoredTogether;

  constructor(together: StoredTogether) {
    this.#together = together;
  }

  /** None was stored that is known here, so that nobody need be asked for one. */
  get none(): boolean {
    return this.#holders.size === 0 && !this.shared;
  }

  /** Other gateways of the fleet are asked as well. */
  get shared(): boolean {
    return this.#together.holders() !== null;
  }

  /** Of one that is somebody else's nothing changes: a reply may repeat an id that its client has put into it. */
  remember(id: string, holder: Holder): void {
    if ((this.#holders.get(id) ?? holder).key !== holder.key) return;
    this.#keep(id, holder);
    const engine = this.#together.engineOf(holder.instance);
    const shared = this.#together.holders();
    if (engine !== null && shared) this.#share(shared, id, { holder, engine });
  }

  /** Whoever's it is. Null for one that is not known; its instance is empty when it is at none that is here. */
  find(id: string): Holder | null | Promise<Holder | null> {
    const asked = this.#asked.get(id);
    if (asked) return asked.then(() => this.find(id));
    const holder = this.#holders.get(id);
    if (holder) {
      this.#keep(id, holder);
      return holder;
    }
    const shared = this.#together.holders();
    return shared ? this.#ask(shared, id) : null;
  }

  /** Another gateway may have kept it for somebody else before. */
  #share(shared: SharedHolders, id: string, { holder, engine }: { holder: Holder; engine: string }): void {
    const { model, deployment, key } = holder;
    const asked = shared.remember(id, { model, deployment, key, engine }).then((first) => {
      if (this.#asked.get(id) === asked) this.#asked.delete(id);
      if (first && first.key !== key && this.#holders.get(id)?.key === key) this.#holders.delete(id);
    });
    this.#asked.set(id, asked);
  }

  async #ask(shared: SharedHolders, id: string): Promise<Holder | null> {
    const found = await shared.find(id);
    if (!found) return null;
    const { model, deployment, engine, key } = found;
    return { model, deployment, key, instance: this.#together.instanceOf(engine) ?? '' };
  }

  #keep(id: string, holder: Holder): void {
    this.#holders.delete(id);
    this.#holders.set(id, holder);
    if (this.#holders.size <= mostRemembered) return;
    const oldest = this.#holders.keys().next();
    if (!oldest.done) this.#holders.delete(oldest.value);
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

/** The path asks for a stored response, whatever the method. */
export function isStoredPath(path: string): boolean {
  return storedPath.test(path);
}

/** The response that a path asks for; null for other paths. Throws ApiError 405. */
export function storedAsk(method: string, path: string): string | null {
  const [, id, part] = storedPath.exec(path) ?? [];
  if (id === undefined) return null;
  const allowed = part === 'cancel' ? ['POST'] : part === 'input_items' ? ['GET'] : ['GET', 'DELETE'];
  if (!allowed.includes(method)) throw methodFault(method, path, allowed.join(', '));
  return id;
}

export function responseUnknown(id: string, { shared }: Pick<StoredResponses, 'shared'>): ApiError {
  return unknown(
    id,
    shared
      ? 'The gateways here know of those that engines have answered through them lately, with the same key.'
      : 'This gateway knows of those that engines have answered through it since it was started, with the same key.',
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

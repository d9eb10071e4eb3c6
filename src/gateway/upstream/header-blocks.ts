import type { Dialect } from '../../domain/endpoints.ts';
import { HeaderBlock } from '../../io/header-block.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import type { UpstreamHead } from '../../io/upstream-pool/types.ts';
import { replyHeaders, requestHeaders } from './headers.ts';

/**
 * What follows from a head is worked out once for all heads that are like it. What else it follows from (a key, a name of
 * a model) is kept beside it and compared each time.
 */
const requests = new WeakMap<object, RequestOptions & { readonly block: HeaderBlock }>();
const replies = new WeakMap<object, ReplyOptions & { readonly block: HeaderBlock }>();

interface RequestOptions {
  readonly key: string | null;
  readonly dialect: Dialect;
  readonly traced: boolean;
  readonly json: boolean;
}

interface ReplyOptions {
  /** Id of the instance. */
  readonly instance: string;
  /** The engine's own name of the model, where it is another than the one asked for. */
  readonly model: string | null;
  /** The gateway's own limits are told beside. */
  readonly limited: boolean;
}

/** Headers to an engine, but for those that name the one request. */
export function requestBlock(
  { rawHeaders, likeness }: Pick<Inbound, 'rawHeaders' | 'likeness'>,
  options: RequestOptions,
): HeaderBlock {
  const { key, dialect, traced, json } = options;
  const made = likeness && requests.get(likeness);
  if (made && made.key === key && made.dialect === dialect && made.traced === traced && made.json === json)
    return made.block;
  const block = new HeaderBlock(requestHeaders(rawHeaders, options));
  if (likeness) requests.set(likeness, { ...options, block });
  return block;
}

/** Headers of an engine's reply for the client, and who served; without those that name the one request or frame its body. */
export function replyBlock(head: UpstreamHead, options: ReplyOptions): HeaderBlock {
  const { likeness } = head;
  const { instance, model, limited } = options;
  const made = likeness && replies.get(likeness);
  if (made && made.instance === instance && made.model === model && made.limited === limited)
    return made.block;
  const headers = replyHeaders(head.headers, { eventStream: head.eventStream, limited });
  headers.push('x-berth-origin', 'upstream', 'x-berth-upstream', instance);
  if (model !== null) headers.push('x-berth-model', headerText(model));
  const block = new HeaderBlock(headers);
  if (likeness) replies.set(likeness, { instance, model, limited, block });
  return block;
}

/** A model's name may hold what a header cannot. */
export function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}

import type { HeaderBlock } from '../../io/header-block.ts';
import type { UpstreamHead } from '../../io/upstream-pool/types.ts';
import type { Call } from '../front/call.ts';
import type { Instance } from '../routing/instance.ts';
import { replyBlock } from '../upstream/header-blocks.ts';
import { redirectForClient } from '../upstream/redirect.ts';

/** How the body reaches the client: chunks as they came, a known length, or framed by the server. */
export type Passing = 'verbatim' | 'length' | 'framed';

export function passingOf(head: UpstreamHead, options: { canVerbatim: boolean; edited: boolean }): Passing {
  if (head.framing === 'chunked' && options.canVerbatim) return 'verbatim';
  if (head.framing === 'none' || (head.framing === 'length' && !options.edited)) return 'length';
  return 'framed';
}

/** Headers of a reply: what many have, what is looked at before it is sent, and lines of this one alone that need not be. */
export interface ClientHeaders {
  readonly common: HeaderBlock;
  readonly headers: string[];
  readonly own: string;
}

/** Headers of an upstream's reply as the client gets them. Times are milliseconds on the monotonic clock. */
export function headersForClient(
  head: UpstreamHead,
  passing: Passing,
  context: {
    call: Call;
    instance: Instance;
    sentAt: number;
    now: number;
    retryAfter: () => number;
  },
): ClientHeaders {
  const { call, instance, sentAt, now } = context;
  const { model } = instance.upstream;
  const isRedirect = head.status >= 300 && head.status < 400;
  const told = isRedirect ? redirectForClient(head, call, instance.upstream.url) : head;
  const common = replyBlock(told, {
    instance: instance.id,
    model: model === call.model ? null : model,
    limited: (call.reservation?.lines ?? '') !== '',
  });
  const headers = framingHeaders(head, passing);
  const isLater = head.status === 503 || head.status === 429;
  if (isLater && !head.headers.some((text) => text.toLowerCase() === 'retry-after'))
    headers.push('Retry-After', String(context.retryAfter()));
  // Anthropic's clients look for the request's name here.
  if (call.endpoint.dialect === 'anthropic') headers.push('request-id', call.id);
  // What an engine does not have it will not have the next time; clients try a 5xx again unless told not to.
  if (head.status === 501) headers.push('x-should-retry', 'false');
  if (call.told.length > 0) headers.push(...call.told);
  const queued = call.queuedMs;
  const upstream = now - sentAt;
  // A body that comes slowly is its client's doing.
  const gateway = Math.max(0, now - call.readAt - queued - upstream);
  const timing = `queue;dur=${tenths(queued)}, upstream_ttfb;dur=${tenths(upstream)}, gateway;dur=${tenths(gateway)}`;
  // Numbers, and a name that was found fit when the request came.
  const own = `x-request-id: ${call.id}\r\n${call.reservation?.lines ?? ''}Server-Timing: ${timing}\r\n`;
  return { common, headers, own };
}

/** Written out as lists: one that is pushed to gets room for sixteen more. */
function framingHeaders(head: UpstreamHead, passing: Passing): string[] {
  if (passing === 'verbatim') return ['Transfer-Encoding', 'chunked'];
  return passing === 'length' && head.length !== null ? ['Content-Length', String(head.length)] : [];
}

/** With one decimal; made of two integers, which costs a fraction of what `toFixed` does. */
function tenths(ms: number): string {
  const rounded = Math.round(ms * 10);
  const whole = Math.floor(rounded / 10);
  return `${whole}.${rounded - whole * 10}`;
}

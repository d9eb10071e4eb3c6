import { errorEnvelope } from '../domain/openai.ts';
import type { ApiFault } from '../domain/openai.ts';
import type { Reply } from '../io/http-server/types.ts';
import { sendOwn } from './send-own.ts';

/** Answers with an error of the gateway's own. */
export function sendFault(reply: Reply, fault: ApiFault, requestId: string): void {
  const retry = fault.retryAfter === undefined ? [] : ['Retry-After', String(fault.retryAfter)];
  sendOwn(reply, {
    status: fault.status,
    type: 'application/json',
    text: JSON.stringify(errorEnvelope(fault)),
    requestId,
    headers: [...(fault.headers ?? []), ...retry],
  });
}

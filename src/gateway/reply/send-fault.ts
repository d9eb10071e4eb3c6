import { errorBody } from '../../domain/dialects.ts';
import type { Dialect } from '../../domain/endpoints.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type { Reply } from '../../io/http-server/types.ts';
import { sendOwn } from './send-own.ts';

/** Answers with an error of the gateway's own, in the shape that this client reads. */
export function sendFault(
  reply: Reply,
  fault: ApiFault,
  to: { readonly requestId: string; readonly dialect: Dialect },
): void {
  const retry = fault.retryAfter === undefined ? [] : ['Retry-After', String(fault.retryAfter)];
  sendOwn(reply, {
    status: fault.status,
    type: 'application/json',
    text: errorBody(to.dialect, fault, to.requestId),
    requestId: to.requestId,
    headers: [
      ...(fault.headers ?? []),
      ...retry,
      ...(to.dialect === 'anthropic' ? ['request-id', to.requestId] : []),
    ],
  });
}

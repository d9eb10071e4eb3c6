import { errorBody } from '../../domain/dialects.ts';
import type { Refuser } from '../../io/http-server/types.ts';
import type { GatewayState } from '../state.ts';
import { dialectOf } from './endpoints.ts';
import { corsHeaders } from './cors.ts';
import type { OnRefused } from './hosts.ts';
import { newRequestId, requestIdOf } from './request-ids.ts';

/** What the server refuses before any handler sees it has the marks of every other reply, and is counted like it. */
export function createRefuser(state: GatewayState, onRefused: OnRefused): Refuser {
  return (fault, inbound, served) => {
    const requestId = inbound ? requestIdOf(inbound) : newRequestId();
    if (!served) onRefused(inbound, fault, requestId);
    const dialect = inbound ? dialectOf(inbound) : 'openai';
    return {
      headers: [
        'x-request-id',
        requestId,
        'x-berth-origin',
        'gateway',
        ...(dialect === 'anthropic' ? ['request-id', requestId] : []),
        ...(fault.headers ?? []),
        ...(inbound ? corsHeaders(state.snapshot.cors, inbound) : []),
      ],
      body: errorBody(dialect, fault, requestId),
    };
  };
}

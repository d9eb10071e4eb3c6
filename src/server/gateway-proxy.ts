import { BerthError } from '../domain/errors/berth-error.ts';
import { openStream } from '../io/http-stream.ts';
import type { StreamReply } from '../io/http-stream.ts';
import type { GatewayAccess } from './ports.ts';

const passedOn = ['content-type', 'retry-after', 'x-request-id'];

/**
 * Sends one request of the page to the gateway, under the console's own key, and passes the bytes of the answer on as they come,
 * whatever its status: the gateway's errors say more than we could. Aborting the signal ends the request at the gateway.
 */
export async function askGateway(
  gateway: GatewayAccess | null,
  request: { method: string; path: string; body?: Uint8Array; signal: AbortSignal },
): Promise<Response> {
  if (!gateway) throw new BerthError('GATEWAY_ABSENT', {});
  const reply = await open(gateway, request);
  const headers = new Headers();
  for (const name of passedOn) {
    const value = reply.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return new Response(ReadableStream.from(reply.body), { status: reply.status, headers });
}

async function open(gateway: GatewayAccess, request: Parameters<typeof askGateway>[1]): Promise<StreamReply> {
  try {
    return await openStream(`${gateway.url}${request.path}`, {
      method: request.method,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(request.body
          ? { 'content-type': 'application/json', 'content-length': String(request.body.length) }
          : {}),
        authorization: `Bearer ${gateway.key}`,
      },
      signal: request.signal,
      ...(request.body ? { body: request.body } : {}),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BerthError('GATEWAY_UNREACHABLE', { url: gateway.url, reason }, { cause: error });
  }
}

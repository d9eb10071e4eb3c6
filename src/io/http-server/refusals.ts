import type http from 'node:http';
import { errorEnvelope } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';

/** What Node would refuse by itself, with an empty body, and what no handler can serve. Null for every other request. */
export function refusalOf({ headers, httpVersionMinor }: http.IncomingMessage): ApiFault | null {
  if (headers.host === undefined && httpVersionMinor === 1) return refusals.host;
  // Other upgrades, such as that to h2c, are offers: the request is served without.
  if (headers.upgrade !== undefined && headers.upgrade.toLowerCase() === 'websocket')
    return refusals.webSocket;
  return null;
}

/** Answers in OpenAI's error shape and ends the connection: whether the client sends its body is unknown. */
export function refuse(response: http.ServerResponse, fault: ApiFault): void {
  const body = Buffer.from(JSON.stringify(errorEnvelope(fault)));
  response.shouldKeepAlive = false;
  response.writeHead(fault.status, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    ...(fault.headers ?? []),
  ]);
  response.end(body);
}

const notTried = ['x-should-retry', 'false'];

export const refusals = {
  host: {
    status: 400,
    type: 'invalid_request_error',
    code: 'host_missing',
    message: 'An HTTP/1.1 request needs a Host header.',
  },
  expectation: {
    status: 417,
    type: 'invalid_request_error',
    code: 'expectation_failed',
    message: 'The only expectation that is met here is "Expect: 100-continue".',
  },
  webSocket: {
    status: 501,
    type: 'invalid_request_error',
    code: 'websocket_not_supported',
    message: 'WebSockets are not served here. Send a plain HTTP request; "stream": true gives events.',
    headers: notTried,
  },
  connect: {
    status: 501,
    type: 'invalid_request_error',
    code: 'connect_not_supported',
    message: 'This server is no forward proxy: CONNECT is not served here.',
    headers: notTried,
  },
} as const satisfies Record<string, ApiFault>;

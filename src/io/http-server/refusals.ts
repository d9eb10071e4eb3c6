import { anthropicEnvelope } from '../../domain/dialects.ts';
import { errorEnvelope } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type { RequestHead } from './request-head.ts';
import type { Inbound, RefusalText, Reply } from './types.ts';

/**
 * What no handler can serve: what the parser lets pass and RFC 9112 does not, and what this server does not do. Null
 * for every other request.
 */
export function refusalOf(head: RequestHead): ApiFault | null {
  if (head.version !== 10 && head.version !== 11) return refusals.version;
  if (head.hosts !== 1 && (head.version === 11 || head.hosts > 1))
    return head.hosts === 0 ? refusals.host : refusals.hosts;
  if (head.coding !== null) {
    if (head.version === 10) return refusals.oldCoding;
    if (head.coding.toLowerCase() !== 'chunked') return refusals.coding;
  }
  if (head.expect !== null && head.version === 11 && head.expect.toLowerCase() !== '100-continue')
    return refusals.expectation;
  return head.upgrade ? upgradeRefusal(head) : null;
}

/** Other upgrades, such as that to h2c, are offers: the request is served without. */
function upgradeRefusal(head: RequestHead): ApiFault | null {
  if (head.method === 'CONNECT') return refusals.connect;
  const at = head.names.indexOf('upgrade');
  return head.rawHeaders[2 * at + 1]?.toLowerCase() === 'websocket' ? refusals.webSocket : null;
}

/** Ends the connection: whether the client sends its body is unknown. */
export function refuse(reply: Reply, fault: ApiFault, text: RefusalText): void {
  const body = Buffer.from(text.body);
  reply.head(fault.status, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Connection',
    'close',
    ...text.headers,
  ]);
  reply.end(body);
}

/** In the error shape of the API that is asked, OpenAI's or Anthropic's. */
export function plainRefuser(fault: ApiFault, inbound: Inbound | null): RefusalText {
  const envelope = inbound && asksAnthropic(inbound) ? anthropicEnvelope(fault) : errorEnvelope(fault);
  return { headers: fault.headers ?? [], body: JSON.stringify(envelope) };
}

/** By the path, or by the header that all clients of that API send. */
function asksAnthropic(inbound: Inbound): boolean {
  return /^\/v1\/messages(?:[/?]|$)/.test(inbound.url) || inbound.header('anthropic-version') !== undefined;
}

const type = 'invalid_request_error';
const notTried = ['x-should-retry', 'false'];

const refusals = {
  version: {
    status: 505,
    type,
    code: 'http_version_not_supported',
    message: 'Only HTTP/1.0 and HTTP/1.1 are spoken here.',
  },
  host: { status: 400, type, code: 'host_missing', message: 'An HTTP/1.1 request needs a Host header.' },
  hosts: { status: 400, type, code: 'host_repeated', message: 'A request has one Host header only.' },
  oldCoding: {
    status: 400,
    type,
    code: 'malformed_http',
    message: 'HTTP/1.0 has no Transfer-Encoding.',
  },
  coding: {
    status: 501,
    type,
    code: 'transfer_coding_not_supported',
    message: 'The only Transfer-Encoding that is known here is "chunked".',
    headers: notTried,
  },
  expectation: {
    status: 417,
    type,
    code: 'expectation_failed',
    message: 'The only expectation that is met here is "Expect: 100-continue".',
  },
  webSocket: {
    status: 501,
    type,
    code: 'websocket_not_supported',
    message: 'WebSockets are not served here. Send a plain HTTP request; "stream": true gives events.',
    headers: notTried,
  },
  connect: {
    status: 501,
    type,
    code: 'connect_not_supported',
    message: 'This server is no forward proxy: CONNECT is not served here.',
    headers: notTried,
  },
} as const satisfies Record<string, ApiFault>;

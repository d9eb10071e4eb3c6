import { STATUS_CODES } from 'node:http';
import type { ApiFault } from '../../domain/openai.ts';
import type { MalformedReason } from './request-parser.ts';
import type { RefusalText } from './types.ts';

/** The answer to bytes that are no request: the parser has given up, so that no reply object can be asked. */
export function rawReply(fault: ApiFault, { headers, body }: RefusalText): string {
  let more = '';
  for (let at = 0; at < headers.length; at += 2) more += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return (
    `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status]}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n${more}\r\n${body}`
  );
}

const type = 'invalid_request_error';

export const malformedFaults = {
  malformed: {
    status: 400,
    type,
    code: 'malformed_http',
    message: 'This is not a well-formed HTTP request.',
  },
  'head-too-large': {
    status: 431,
    type,
    code: 'headers_too_large',
    message: 'The request headers are too large.',
  },
  'framing-too-large': {
    status: 413,
    type,
    code: 'body_too_large',
    message: 'The chunk extensions are too large.',
  },
  late: {
    status: 408,
    type,
    code: 'request_timeout',
    message: 'The request did not arrive in time.',
  },
} as const satisfies Record<MalformedReason | 'late', ApiFault>;

import type { Duplex } from 'node:stream';
import { errorEnvelope } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';
import { refusals } from './refusals.ts';

/** Answers bytes that are no HTTP request, on the raw socket: the parser has given up, and no reply object exists. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  answerRaw(socket, faultOf(error.code));
}

/** Refuses a tunnel. Node has let go of the socket: nobody else reads it or hears its errors. */
export function answerConnect(socket: Duplex): void {
  socket.on('error', () => socket.destroy()).resume();
  answerRaw(socket, refusals.connect);
}

function answerRaw(socket: Duplex, fault: ApiFault): void {
  const more = (fault.headers ?? []).map((text, i) => `${text}${i % 2 === 0 ? ': ' : '\r\n'}`).join('');
  const body = JSON.stringify(errorEnvelope(fault));
  socket.end(
    `HTTP/1.1 ${fault.status} ${reasons[fault.status] ?? 'Bad Request'}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n${more}\r\n${body}`,
  );
  // A client that goes on sending garbage is not waited for.
  setTimeout(() => socket.destroy(), 1000).unref();
}

const reasons: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
};

function faultOf(code: string | undefined): ApiFault {
  return { type: 'invalid_request_error', ...(faults[code ?? ''] ?? faults.any) };
}

const faults: Record<string, Omit<ApiFault, 'type'>> & { any: Omit<ApiFault, 'type'> } = {
  any: { status: 400, code: 'malformed_http', message: 'This is not a well-formed HTTP request.' },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    message: 'The request headers are too large.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'body_too_large',
    message: 'The chunk extensions are too large.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_timeout',
    message: 'The request did not arrive in time.',
  },
};

import http from 'node:http';
import https from 'node:https';

export interface StreamRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Ends the exchange in every phase; there is no time limit besides. */
  readonly signal: AbortSignal;
}

export interface StreamReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Chunks as they arrive, read no faster than the consumer takes them; leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A request whose reply is read while it comes. Rejects on refusal and reset before the head of the reply. */
export function openStream(url: string, request: StreamRequest): Promise<StreamReply> {
  const send = url.startsWith('https:') ? https.request : http.request;
  const { method, headers, signal, body } = request;
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers, signal, agent: false }, (incoming) =>
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming }),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

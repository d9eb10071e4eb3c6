import type http from 'node:http';

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** From connect to the last byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** PEM: the authorities that are trusted, in place of the usual ones; for https. */
  readonly ca?: string;
  /** Any certificate will do, for https: whoever asks sends nothing and believes nothing that matters. */
  readonly unchecked?: boolean;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Short questions to servers (health, props, models); the data path of gateway and benchmark is elsewhere. */
export interface Http {
  /** Rejects on refusal, reset and time-out; any status resolves. */
  readonly request: (url: string, request: HttpRequest) => Promise<HttpReply>;
}

const maxReplyBytes = 16 * 1024 * 1024;

/** Loaded with the first request: importing node:http evaluates its lazy parts too, a third of a short command's start. */
async function senderOf(url: string): Promise<typeof http.request> {
  return url.startsWith('https:')
    ? (await import('node:https')).request
    : (await import('node:http')).request;
}

async function request(url: string, options: HttpRequest): Promise<HttpReply> {
  const send = await senderOf(url);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        signal,
        agent: false,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        ...(options.unchecked === true ? { rejectUnauthorized: false } : {}),
      },
      (incoming) => {
        const parts: Buffer[] = [];
        let size = 0;
        incoming.on('data', (part: Buffer) => {
          size += part.length;
          if (size > maxReplyBytes) outgoing.destroy(new Error('The reply is larger than 16 MiB.'));
          else parts.push(part);
        });
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

export const systemHttp: Http = { request };

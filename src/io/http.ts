import { endWith } from './end-with.ts';
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
  /** Of a proxy that is asked for it, as `proxyFor` gives it; without it the server itself is asked. */
  readonly proxy?: string | null;
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

/** Among the headers of a reply: that the server of a cluster has passed the question on to a pod. */
export const passedOn = 'x-berth-passed-on';

const maxReplyBytes = 16 * 1024 * 1024;

/** Loaded with the first request: importing node:http evaluates its lazy parts too, a third of a short command's start. */
async function senderOf(url: string): Promise<typeof http.request> {
  return url.startsWith('https:')
    ? (await import('node:https')).request
    : (await import('node:http')).request;
}

interface Way {
  readonly url: string;
  readonly options: http.RequestOptions;
  /** Throws where it is the proxy that answers. */
  readonly check: (status: number | undefined) => void;
  /** Ends what is being opened, which the end of the request does not. */
  readonly close?: () => void;
}

async function wayOf(url: string, { headers = {}, proxy = null, timeoutMs }: HttpRequest): Promise<Way> {
  if (proxy === null) return { url, options: { headers, agent: false }, check: () => {} };
  const { checkProxyReply, forwarded, tunnelAgent } = await import('./proxy-route.ts');
  function check(status: number | undefined): void {
    checkProxyReply(proxy, status);
  }
  if (url.startsWith('https:')) {
    const agent = tunnelAgent(proxy, { timeout: timeoutMs });
    return { url, options: { headers, agent }, check, close: () => agent.destroy() };
  }
  const { url: at, options } = forwarded(proxy, url, headers);
  return { url: at, options: { ...options, agent: false }, check };
}

async function request(url: string, options: HttpRequest): Promise<HttpReply> {
  const way = await wayOf(url, options);
  const send = await senderOf(way.url);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      way.url,
      {
        ...way.options,
        method: options.method ?? 'GET',
        signal,
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
        incoming.on('end', () => {
          const { statusCode: status = 0, headers } = incoming;
          try {
            way.check(status);
            resolve({ status, headers, text: Buffer.concat(parts).toString('utf8') });
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    outgoing.on('error', reject);
    const { close } = way;
    if (close !== undefined)
      endWith(signal, outgoing, (reason) => {
        reject(reason);
        close();
      });
    outgoing.end(options.body);
  });
}

export const systemHttp: Http = { request };

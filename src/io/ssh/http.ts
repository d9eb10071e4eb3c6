import { isLoopback } from '../../domain/loopback.ts';
import type { Http } from '../http.ts';

/** Questions to servers of another machine, by a forward where they listen on its loopback. */
export function farHttp(http: Http, reach: (where: string) => Promise<string>): Http {
  return {
    request: async (url, request) => {
      const there = new URL(url);
      const near = new URL(await reach(there.origin));
      if (near.origin === there.origin) return http.request(url, request);
      there.host = near.host;
      const headers = { ...request.headers, host: new URL(url).host };
      try {
        return await http.request(there.href, { ...request, headers });
      } catch (error) {
        throw asRefused(error);
      }
    },
  };
}

/** ssh takes the connection here before it knows whether someone listens there, and then lets it fall. */
function asRefused(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const fell = code === 'ECONNRESET' || message === 'socket hang up';
  return fell ? Object.assign(new Error('nothing listens there'), { code: 'ECONNREFUSED' }) : error;
}

/** "http://127.0.0.1:8080": host and port, where they are of loopback; null for what can be reached as it is. */
export function loopbackPlace(where: string): string | null {
  const url = new URL(where);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return isLoopback(host) ? `${url.hostname}:${port}` : null;
}

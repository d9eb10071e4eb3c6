import type { Inbound, Reply } from '../io/http-server/types.ts';

/** What a route finds in its environment: the request as our own server pair has it. A route that wants the body reads it from here, with a limit. */
export interface RouteEnv {
  readonly inbound: Inbound;
}

/** A web-standard application, such as hono's. */
type Fetch = (request: Request, env: RouteEnv) => Response | Promise<Response>;

/**
 * Answers one request of the server pair by a fetch-style application. The body stays unread until a route asks for it.
 * Every chunk is passed on as it comes; a client that leaves cancels the stream behind it.
 */
export async function answerWith(fetch: Fetch, inbound: Inbound, reply: Reply): Promise<void> {
  const request = toRequest(inbound);
  if (!request) {
    reply.head(400, ['content-length', '0', 'connection', 'close']);
    reply.end();
    return;
  }
  const response = await fetch(request, { inbound });
  reply.head(response.status, [...response.headers].flat());
  if (!response.body || inbound.method === 'HEAD') {
    await response.body?.cancel();
    reply.end();
    return;
  }
  await pipe(response.body, inbound.closed, reply);
}

/** Null when the target is no path, or the method one that no fetch-style request has. The host is left out on purpose: what came as Host is text to check, never a place to go to. */
function toRequest(inbound: Inbound): Request | null {
  const url = `http://control.invalid${inbound.url}`;
  if (!inbound.url.startsWith('/') || !URL.canParse(url) || inbound.method === 'TRACE') return null;
  const headers = new Headers();
  for (let i = 0; i + 1 < inbound.rawHeaders.length; i += 2)
    headers.append(inbound.rawHeaders[i] as string, inbound.rawHeaders[i + 1] as string);
  return new Request(url, { method: inbound.method, headers, signal: inbound.closed });
}

async function pipe(body: ReadableStream<Uint8Array>, closed: AbortSignal, reply: Reply): Promise<void> {
  const reader = body.getReader();
  function cancel(): void {
    reader.cancel().catch(() => {});
  }
  closed.addEventListener('abort', cancel, { once: true });
  if (closed.aborted) cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!reply.write(value)) await reply.drained();
    }
    reply.end();
  } catch {
    // The head is out: only a cut connection tells the client that the rest is missing.
    reply.abort();
  } finally {
    closed.removeEventListener('abort', cancel);
  }
}

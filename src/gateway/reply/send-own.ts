import type { Reply } from '../../io/http-server/types.ts';

/** What the gateway says itself, whole, and marked as its own. `headers` are pairs put behind the usual ones. */
export interface OwnReply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly requestId: string;
  readonly headers?: readonly string[];
}

export function sendOwn(reply: Reply, own: OwnReply): void {
  const body = Buffer.from(own.text);
  reply.head(own.status, [
    'Content-Type',
    own.type,
    'Content-Length',
    String(body.length),
    'x-request-id',
    own.requestId,
    'x-berth-origin',
    'gateway',
    ...(own.headers ?? []),
  ]);
  reply.end(body);
}

import type { Feed } from './feed.ts';

/** Events that a reader may be behind by. One that sleeps is cut, and gets the whole state when it comes again. */
const mostBehind = 1_000;

/** A subscriber's server-sent events. The first bytes leave at once, so that the page knows that it is connected. */
export function eventStream(feed: Feed): Response {
  const encoder = new TextEncoder();
  let leave: (() => void) | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(encoder.encode(': connected\n\n'));
      leave = feed.subscribe((event, data) => {
        if (event === 'end') controller.close();
        else if ((controller.desiredSize ?? 0) < -mostBehind) {
          leave?.();
          controller.error(new Error('The reader is too far behind.'));
        } else controller.enqueue(encoder.encode(`event: ${event}\ndata: ${data}\n\n`));
      });
    },
    cancel: () => leave?.(),
  });
  return new Response(body, {
    // Such a connection serves nothing else, and closing the server must not wait for it.
    headers: { 'content-type': 'text/event-stream', connection: 'close' },
  });
}

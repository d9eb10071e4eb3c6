import { expect, test } from 'vitest';
import { serverEvents } from './server-events.ts';
import type { ServerEvent } from './server-events.ts';

async function read(...chunks: (string | Uint8Array)[]): Promise<ServerEvent[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(body)) events.push(event);
  return events;
}

test('events are read whole however the bytes are cut', async () => {
  const text = ': hello\n\nevent: status\ndata: {"name":"Küche"}\n\ndata: 1\ndata: 2\n\n';
  const wanted = [
    { event: 'status', data: '{"name":"Küche"}' },
    { event: 'message', data: '1\n2' },
  ];
  expect(await read(text)).toEqual(wanted);
  const bytes = new TextEncoder().encode(text);
  for (let cut = 1; cut < bytes.length; cut += 1)
    expect(await read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(wanted);
});

test('an event that the end of the stream cuts off is dropped', async () => {
  expect(await read('data: whole\n\ndata: half')).toEqual([{ event: 'message', data: 'whole' }]);
});

test('lines may end in CR LF', async () => {
  expect(await read('event: x\r\ndata: 1\r\n\r\n')).toEqual([{ event: 'x', data: '1' }]);
});

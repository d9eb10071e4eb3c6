import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { chatEvent } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, engine, front, sha256 } from './harness.ts';

/** More begins and ends at once than a turn of the event loop has time for. */

const clients = 200;
const streamsEach = 3;

/** An engine that ends all streams at once. */
function inStep(): (turn: Turn) => void {
  let open: Turn[] = [];
  return (turn) => {
    turn.stream();
    turn.chunk(chatEvent('a'));
    if (open.push(turn) < clients) return;
    for (const one of open) {
      one.chunk('data: [DONE]\n\n');
      one.endChunks();
    }
    open = [];
  };
}

/** Asks for one stream after the other over one connection, each as soon as the last one has ended; the statuses. */
function client(port: number, key: string): Promise<string[]> {
  const body = chat({ stream: true });
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve, reject) => {
    const statuses: string[] = [];
    let text = '';
    socket.on('error', reject).on('close', () => reject(new Error('The gateway closed the connection.')));
    socket.on('connect', () => socket.write(request));
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      if (!text.endsWith('\r\n0\r\n\r\n') && !/\r\n\r\n\{.*\}$/s.test(text)) return;
      statuses.push(text.slice(9, 12) + (text.includes('[DONE]') ? ' done' : ''));
      text = '';
      if (statuses.length === streamsEach) resolve(statuses);
      else socket.write(request);
    });
  });
}

test('a key that may have one request at a time gets the next one as soon as the last has ended, however many end at once', async () => {
  const upstream = await engine(inStep());
  const ids = Array.from({ length: clients }, (_, i) => `k${i}`);
  const gateway = await front(
    configFor([{ url: upstream.url, slots: clients }], {
      keys: ids.map((id) => ({ id, name: id, sha256: sha256(id), limits: { concurrent: 1 } })),
      quotas: { eachKey: {}, models: {}, prices: {}, usageFile: null, sharedUrlFile: null },
    }),
  );
  const all = await Promise.all(ids.map((id) => client(gateway.port, id)));
  expect(all.flat()).toEqual(Array(clients * streamsEach).fill('200 done'));
  expect(await gateway.metric('berth_gateway_requests_total', 'status="200"')).toBe(clients * streamsEach);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import type { Turn } from './fake-upstream.ts';
import { postChat, sha256, start, until } from './harness.ts';

test('rule 1: a client that leaves while the shared store is asked does not enter the queue', async () => {
  const store = await startStore();
  const folder = await mkdtemp(join(tmpdir(), 'berth store '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const urlFile = join(folder, 'url');
  await writeFile(urlFile, store.url);
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), {
    upstream: { slots: 1 },
    keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits: { rpm: 60 } }],
    quotas: { ...noQuotas, sharedUrlFile: urlFile },
  });
  const headers = { authorization: 'Bearer a' };
  await until('the store is there', async () => {
    return (await gateway.metric('berth_gateway_shared_limits_up')) === 1;
  });
  const served = postChat(gateway.url, {}, { headers });
  await until('one is served', () => held.length === 1);
  store.hang();
  const leaving = new AbortController();
  const left = postChat(gateway.url, {}, { headers, signal: leaving.signal }).catch(() => 'left');
  await until('the store is asked', () => store.asked() === 2);
  leaving.abort();
  expect(await left).toBe('left');
  await until('it is counted as gone', async () => {
    return (await gateway.metric('berth_gateway_requests_total', 'status="499"')) === 1;
  });
  expect(await gateway.metric('berth_gateway_queue_depth')).toBe(0);
  held[0]?.json(200, {});
  expect((await served).status).toBe(200);
});

interface Store {
  readonly url: string;
  /** Charges that it was asked for. */
  readonly asked: () => number;
  /** From now on it answers no script. */
  readonly hang: () => void;
}

/** As much of a Redis as the gateway talks to: each script finds room, and counts one. Gone when the test ends. */
async function startStore(): Promise<Store> {
  let asked = 0;
  let hangs = false;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let at = command.exec(text); at; at = command.exec(text)) {
        text = text.slice(at.index + at[0].length);
        const script = text.slice(0, command.exec(text)?.index);
        if (at[1] !== 'EVAL') socket.write('+OK\r\n');
        // A claim of slots: one is granted, nobody is short, and there is no other gateway.
        else if (script.includes('HGETALL')) socket.write('*3\r\n:1\r\n:0\r\n:1\r\n');
        else {
          asked += 1;
          if (!hangs) socket.write('*3\r\n:1\r\n$1\r\n1\r\n$1\r\n0\r\n');
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  return { url: `redis://127.0.0.1:${port}`, asked: () => asked, hang: () => void (hangs = true) };
}

const command = /\*\d+\r\n\$\d+\r\n([A-Z]+)\r\n/;

import type { ByteSource } from '../byte-file.ts';
import { createConnector, leave } from './connect.ts';
import type { Address, ConnectorOptions, Reply } from './connect.ts';
import { Refused } from './faults.ts';
import { readContentRange } from './parts.ts';
import type { Range } from './parts.ts';

const stallMs = 30_000;

/**
 * The front of a file that lies elsewhere, read by ranges and kept, so that a reader that asks for more and more from the start
 * fetches each byte once; its size is the one that was listed until the server tells another. `read` rejects with Refused, and
 * with a plain error where the server breaks off. A server that knows no ranges, or lies about them, is read from its front.
 */
export function openRemote(
  shown: string,
  address: () => Promise<Address>,
  listed: number,
  { env, signal }: { readonly env: ConnectorOptions['env']; readonly signal: AbortSignal },
): ByteSource {
  const connector = createConnector({ stallMs, connections: 1, env });
  let front: Buffer = Buffer.alloc(0);
  let size = listed;
  async function ask(range: Range): Promise<Reply> {
    const reply = await connector.get(await address(), range, null, signal);
    const sent = readContentRange(reply.headers['content-range']);
    if (reply.status !== 206 || sent?.from === range.from) return reply;
    await leave(reply);
    return connector.get(await address(), null, null, signal);
  }
  async function fetchUpTo(end: number): Promise<void> {
    const reply = await ask({ from: front.length, to: end - 1 });
    if (reply.status !== 206 && reply.status !== 200) throw new Refused(reply.status, reply.headers, '');
    size = sizeIn(reply) ?? size;
    const parts = [front];
    // A server without ranges sends all of it: what is known already is passed over, and the rest not waited for.
    let skip = reply.status === 200 ? front.length : 0;
    let have = front.length;
    for await (const chunk of reply.body) {
      const fresh = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - fresh.length;
      parts.push(fresh);
      if ((have += fresh.length) >= end) break;
    }
    if (have === front.length && size > have)
      throw new Error('the server sends nothing for what it was asked for');
    front = Buffer.concat(parts);
  }
  return {
    path: shown,
    get size() {
      return size;
    },
    read: async (offset, length) => {
      while (Math.min(size, offset + length) > front.length) await fetchUpTo(Math.min(size, offset + length));
      return front.subarray(offset, Math.min(size, offset + length));
    },
    [Symbol.asyncDispose]: async () => connector[Symbol.dispose](),
  };
}

function sizeIn({ status, headers }: Reply): number | null {
  if (status === 206) return readContentRange(headers['content-range'])?.size ?? null;
  return headers['content-length'] === undefined ? null : Number(headers['content-length']);
}

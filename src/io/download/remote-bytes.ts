import type { ByteSource } from '../byte-file.ts';
import { createConnector } from './connect.ts';
import type { Address } from './connect.ts';
import { RangeLie, Refused } from './faults.ts';
import { readContentRange } from './parts.ts';

const stallMs = 30_000;

/**
 * The front of a file that lies elsewhere, read by ranges and kept, so that a reader that asks for more and more from the start
 * fetches each byte once. `read` rejects with Refused, and with RangeLie where the server sends something else than was asked.
 */
export function openRemote(
  shown: string,
  address: () => Promise<Address>,
  size: number,
  signal: AbortSignal,
): ByteSource {
  const connector = createConnector(stallMs, 1);
  let front: Buffer = Buffer.alloc(0);
  async function fetchUpTo(end: number): Promise<void> {
    const range = { from: front.length, to: end - 1 };
    const reply = await connector.get(await address(), range, null, signal);
    const sent = readContentRange(reply.headers['content-range']);
    if (reply.status !== 206 && reply.status !== 200) throw new Refused(reply.status, reply.headers, '');
    if (reply.status === 206 && sent?.from !== range.from)
      throw new RangeLie('the server sends another range than it was asked for');
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
    front = Buffer.concat(parts);
  }
  return {
    path: shown,
    size,
    read: async (offset, length) => {
      const end = Math.min(size, offset + length);
      if (end > front.length) await fetchUpTo(end);
      return front.subarray(offset, end);
    },
    [Symbol.asyncDispose]: async () => connector[Symbol.dispose](),
  };
}

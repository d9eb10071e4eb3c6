import { createConnector, leave } from './connect.ts';
import type { Address, ConnectorOptions, Reply } from './connect.ts';
import { readContentRange } from './parts.ts';
import type { Identity } from './parts.ts';

const stallMs = 30_000;

/** What a reply says of the file that it brings, or brings a part of. */
export function identityOf({ headers }: Pick<Reply, 'headers'>): Identity {
  return {
    size: readContentRange(headers['content-range'])?.size ?? Number(headers['content-length'] ?? 0),
    etag: headers.etag ?? null,
    modified: headers['last-modified'] ?? null,
  };
}

/** What lies at an address now, by a question for its first byte; null where that is not answered so. */
export async function identify(
  address: Address,
  { env, signal }: { readonly env: ConnectorOptions['env']; readonly signal: AbortSignal },
): Promise<Identity | null> {
  using connector = createConnector({ stallMs, connections: 1, env });
  try {
    const reply = await connector.get(address, { from: 0, to: 0 }, null, signal);
    await leave(reply);
    return reply.status === 200 || reply.status === 206 ? identityOf(reply) : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

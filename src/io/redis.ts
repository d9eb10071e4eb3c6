/** A connection to a Redis that comes back by itself. */
export interface RedisLink {
  /** Runs a Lua script. Rejects after half a second without an answer; without a connection, or soon after that, at once. */
  readonly run: (script: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>;
  /** Resolves once the server has answered what was said before, half a second later at the latest: a process that ends waits for it. */
  readonly close: () => Promise<void>;
}

const timeoutMs = 500;
const longestPauseMs = 1000;
const restMs = 1000;

/**
 * Begins to connect to a `redis:` or `rediss:` URL, and resolves without waiting for it. `onChange` tells when the
 * connection comes and goes. The client library is loaded only here.
 */
export async function openRedis(
  url: string,
  onChange: (state: { up: boolean; reason: string }) => void,
): Promise<RedisLink> {
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url,
    // What cannot be asked now is not asked later: the request has long been decided.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 2000,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 10), longestPauseMs),
    },
  });
  let restUntil = -Infinity;
  let closed = false;
  function told(state: { up: boolean; reason: string }): void {
    if (!closed) onChange(state);
  }
  client.on('ready', () => {
    restUntil = -Infinity;
    told({ up: true, reason: '' });
  });
  client.on('error', (error: Error) => told({ up: false, reason: error.message }));
  void client.connect().catch(() => {});
  return {
    run: async (script, keys, args) => {
      if (closed || !client.isReady || performance.now() < restUntil)
        throw new Error('There is no connection.');
      try {
        const answer = await inTime(client.eval(script, { keys: [...keys], arguments: [...args] }));
        told({ up: true, reason: '' });
        return answer;
      } catch (error) {
        // One that hangs must not hold up every request.
        restUntil = performance.now() + restMs;
        told({ up: false, reason: String(error) });
        throw error;
      }
    },
    close: async () => {
      closed = true;
      // What was said last still goes out.
      if (client.isReady) await inTime(client.close()).catch(() => {});
      if (client.isOpen) client.destroy();
    },
  };
}

async function inTime<Of>(answer: Promise<Of>): Promise<Of> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

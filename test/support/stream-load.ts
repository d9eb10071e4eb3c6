/** What became of one streamed request. */
export interface Streamed {
  readonly status: number;
  /** Its Retry-After; null without one. */
  readonly retryAfter: string | null;
  /** Pid of the engine that streamed it; null when no event came. */
  readonly pid: number | null;
  /** The whole text came, from one engine, and then [DONE]. */
  readonly whole: boolean;
  readonly text: string;
}

export interface StreamLoad {
  /** What has ended so far. */
  readonly ended: readonly Streamed[];
  /** Lets what is under way end. */
  readonly stop: () => Promise<readonly Streamed[]>;
}

/** So many clients that stream one request after the other, as test/support/streaming-engine.mjs answers them. */
export function streamLoad(url: string, model: string, clients: number): StreamLoad {
  const ended: Streamed[] = [];
  let stopped = false;
  async function client(): Promise<void> {
    while (!stopped) {
      const streamed = await streamOnce(url, model);
      ended.push(streamed);
      // Nobody is there any more.
      if (streamed.status === 0) return;
    }
  }
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    ended,
    stop: async () => {
      stopped = true;
      await all;
      return ended;
    },
  };
}

async function streamOnce(url: string, model: string): Promise<Streamed> {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [] }),
  }).catch((error: unknown) => String(error));
  if (typeof reply === 'string') return { status: 0, retryAfter: null, pid: null, whole: false, text: reply };
  const text = await reply.text().catch((error: unknown) => String(error));
  const pieces = [...text.matchAll(/"content":"(\d+):(\d+) "/g)];
  const pids = new Set(pieces.map(([, pid]) => Number(pid)));
  const whole =
    pids.size === 1 &&
    pieces.map(([, , number]) => number).join() === '1,2,3,4,5,6,7,8' &&
    text.endsWith('data: [DONE]\n\n');
  const retryAfter = reply.headers.get('retry-after');
  return { status: reply.status, retryAfter, pid: [...pids][0] ?? null, whole, text };
}

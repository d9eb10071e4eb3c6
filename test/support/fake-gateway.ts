import { serve } from '../../src/io/http-server/serve.ts';
import type { Inbound, Listening, Reply } from '../../src/io/http-server/types.ts';

/** One chat that the fake gateway was asked: what came, and the test's hand on the answer. */
export interface AskedChat {
  readonly body: { model: string; messages: { role: string; content: string }[]; [key: string]: unknown };
  readonly authorization: string | undefined;
  /** Aborts when the far side has left. */
  readonly left: AbortSignal;
  /** Streams one token. */
  readonly token: (text: string) => void;
  readonly finish: (usage?: { prompt: number; completion: number }) => void;
  readonly fail: (status: number, error: { message: string; type: string; code: string }) => void;
  readonly cut: () => void;
}

export interface FakeGateway {
  readonly url: string;
  readonly chats: AskedChat[];
  /** Answers every chat by itself; without it the test drives each one. */
  onChat: ((chat: AskedChat) => void) | null;
  metrics: string;
  readonly close: () => Promise<void>;
}

/** Stands in for the gateway at the wire: lists models and streams what the test says. */
export async function startFakeGateway(models: readonly string[]): Promise<FakeGateway> {
  const chats: AskedChat[] = [];
  async function handle(inbound: Inbound, reply: Reply): Promise<void> {
    if (inbound.url === '/v1/models') {
      const data = models.map((id) => ({ id, object: 'model', owned_by: 'berth' }));
      return answer(reply, 200, { object: 'list', data });
    }
    if (inbound.url === '/metrics') {
      reply.head(200, ['content-type', 'text/plain']);
      reply.end(gateway.metrics);
      return;
    }
    if (inbound.url !== '/v1/chat/completions') return answer(reply, 404, {});
    const chat = toChat(inbound, reply, JSON.parse((await inbound.body(1e6)).toString()));
    chats.push(chat);
    gateway.onChat?.(chat);
  }
  const server: Listening = await serve({ address: '127.0.0.1', port: 0 }, handle);
  const gateway: FakeGateway = {
    url: `http://127.0.0.1:${server.port}`,
    chats,
    onChat: null,
    metrics: '',
    close: () => server.close(0),
  };
  return gateway;
}

function toChat(inbound: Inbound, reply: Reply, body: AskedChat['body']): AskedChat {
  function event(value: unknown): void {
    if (!reply.started) reply.head(200, ['content-type', 'text/event-stream']);
    reply.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
  }
  return {
    body,
    authorization: inbound.header('authorization'),
    left: inbound.closed,
    token: (text) => event({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] }),
    finish: (usage) => {
      event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
      if (usage)
        event({ choices: [], usage: { prompt_tokens: usage.prompt, completion_tokens: usage.completion } });
      event('[DONE]');
      reply.end();
    },
    fail: (status, error) => answer(reply, status, { error }),
    cut: () => reply.abort(),
  };
}

function answer(reply: Reply, status: number, value: unknown): void {
  reply.head(status, ['content-type', 'application/json']);
  reply.end(JSON.stringify(value));
}

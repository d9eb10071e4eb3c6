import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What the far side of a benchmark is to do: everything but the answers to completions has a plain table. */
export interface Script {
  /** Replies to GETs by path; a function is asked each time. Others are 404. */
  readonly pages?: Readonly<Record<string, string | (() => string)>>;
  /** Answers a completion, `number` counting from 1; absent: a good stream. */
  readonly answer?: (reply: http.ServerResponse, asked: Asked) => void;
}

export interface Asked {
  readonly number: number;
  readonly stream: boolean;
  readonly tokens: number;
}

export interface ScriptedEngine {
  readonly url: string;
  /** Completions that were begun so far. */
  readonly requests: () => number;
  /** Bodies of the completions as they came. */
  readonly bodies: readonly string[];
  /** As a killed process does: every connection is reset, and nobody listens any more. */
  readonly die: () => void;
  readonly close: () => Promise<void>;
}

/** An OpenAI-compatible server that follows a script. */
export async function startScriptedEngine(script: Script = {}, port = 0): Promise<ScriptedEngine> {
  let number = 0;
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      if (request.method !== 'POST') return page(script, path, reply);
      if (!path.endsWith('/completions')) return json(reply, 404, { error: { message: 'not here' } });
      const text = Buffer.concat(parts).toString();
      bodies.push(text);
      const body = JSON.parse(text) as { stream?: boolean; max_tokens?: number };
      number += 1;
      const asked = { number, stream: body.stream === true, tokens: body.max_tokens ?? 4 };
      (script.answer ?? goodAnswer)(reply, asked);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((done) => void server.listen(port, '127.0.0.1', done));
  const address = server.address() as AddressInfo;
  function die(): void {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => number,
    bodies,
    die,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The asked number of one-token events at once, with usage and an end; not streamed, one object. */
export function goodAnswer(reply: http.ServerResponse, { stream, tokens }: Asked): void {
  const usage = { prompt_tokens: 12, completion_tokens: tokens, total_tokens: 12 + tokens };
  if (!stream)
    return json(reply, 200, { choices: [{ message: { content: 'a' }, finish_reason: 'length' }], usage });
  reply.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < tokens; i += 1) reply.write(event({ choices: [{ delta: { content: `w${i} ` } }] }));
  reply.write(event({ choices: [{ delta: {}, finish_reason: 'length' }] }));
  reply.write(event({ choices: [], usage }));
  reply.end('data: [DONE]\n\n');
}

export function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

export function json(reply: http.ServerResponse, status: number, value: unknown): void {
  reply.writeHead(status, { 'content-type': 'application/json' });
  reply.end(JSON.stringify(value));
}

function page(script: Script, path: string, reply: http.ServerResponse): void {
  const found = path === '/v1/models' ? (script.pages?.[path] ?? models) : script.pages?.[path];
  if (found === undefined) return json(reply, 404, { error: { message: 'not here' } });
  reply.writeHead(200, { 'content-type': 'text/plain' });
  reply.end(typeof found === 'string' ? found : found());
}

const models = JSON.stringify({ data: [{ id: 'scripted' }] });

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request's body, with what the server reads of it. */
export interface Body extends Record<string, unknown> {
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly max_output_tokens?: number;
  readonly messages?: readonly { readonly content: unknown }[];
  readonly prompt?: string;
  readonly content?: string;
  readonly input?: string | readonly string[];
  readonly query?: string;
  readonly documents?: readonly string[];
}

/** A request as the server saw it. */
export interface Seen {
  readonly path: string;
  /** Milliseconds since the server was started. */
  readonly at: number;
  readonly body: Body;
}

export interface ScriptedServer {
  readonly url: string;
  readonly seen: Seen[];
  /** Bodies of the requests proper, without those of the preflight and the calls of /tokenize. */
  readonly bodies: (path?: string) => Body[];
  readonly close: () => Promise<void>;
}

export interface Script {
  /** Milliseconds until the answer, by how many requests are being answered now, this one among them. */
  readonly delayMs?: (running: number) => number;
  readonly tokenize?: boolean;
  /** Words of the n-th answer. */
  readonly answer?: (body: Body, number: number) => readonly string[];
  /** Texts of a request that an embedding or a ranking lacks. */
  readonly leaveOut?: number;
  /** Reasoning words before the answer. */
  readonly reasoning?: number;
}

/** A small server at the wire whose answers a test writes: every endpoint that berth measures, words as tokens. */
export async function startScriptedServer(script: Script = {}): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const start = performance.now();
  let running = 0;
  let number = 0;
  const server = createServer((request, response) => void handle(request, response));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = await bodyOf(request);
    if (request.method === 'POST') seen.push({ path, at: performance.now() - start, body });
    if (path === '/v1/models') return json(response, { data: [{ id: 'scripted' }] });
    if (path === '/tokenize' && script.tokenize !== false)
      return json(response, { tokens: wordsOf(body.content ?? body.prompt ?? '') });
    // Whoever only looks (at /metrics, say) is no load.
    if (request.method !== 'POST') return json(response, { error: { message: `no ${path}` } }, 404);
    running += 1;
    try {
      const wait = script.delayMs?.(running) ?? 0;
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      if (path === '/v1/chat/completions' || path === '/v1/completions') {
        const words = script.answer?.(body, number++) ?? wordsFor(Number(body.max_tokens ?? 4));
        chat(response, body, words, script.reasoning ?? 0);
      } else if (path === '/v1/responses') responses(response, body, script.reasoning ?? 0);
      else if (path === '/v1/embeddings') embeddings(response, body, script.leaveOut ?? 0);
      else if (path === '/v1/rerank') rerank(response, body);
      else json(response, { error: { message: `no ${path}` } }, 404);
    } finally {
      running -= 1;
    }
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    bodies: (path = '/v1/chat/completions') =>
      seen.filter((each) => each.path === path && !isProbe(each.body)).map(({ body }) => body),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** berth's own questions before a run are not streamed and ask for one token. */
function isProbe(body: Body): boolean {
  return body.stream === false && body.max_tokens === 1;
}

export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function wordsFor(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${i}`);
}

/** Text of a prompt or of messages, whatever parts they have. */
export function promptText(body: Body): string {
  const { messages, prompt, input } = body;
  if (messages === undefined) return String(prompt ?? input ?? '');
  return messages
    .map(({ content }) =>
      Array.isArray(content)
        ? content.map((part: { text?: string }) => part.text ?? '').join(' ')
        : String(content),
    )
    .join(' ');
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  let text = '';
  for await (const part of request) text += String(part);
  return text === '' ? {} : (JSON.parse(text) as Body);
}

function json(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function chat(response: ServerResponse, body: Body, words: readonly string[], reasoning: number): void {
  const usage = {
    prompt_tokens: wordsOf(promptText(body)).length + 3,
    completion_tokens: words.length + reasoning,
    ...(reasoning > 0 ? { completion_tokens_details: { reasoning_tokens: reasoning } } : {}),
  };
  const text = words.join(' ');
  if (body.stream !== true)
    return json(response, {
      choices: [{ message: { content: text }, text, finish_reason: 'length' }],
      usage,
    });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  function send(value: object): void {
    response.write(`data: ${JSON.stringify(value)}\n\n`);
  }
  for (let i = 0; i < reasoning; i += 1) send({ choices: [{ delta: { reasoning_content: 'hm ' } }] });
  words.forEach((word, i) => {
    const content = i === 0 ? word : ` ${word}`;
    send({ choices: [{ delta: { content }, text: content }] });
  });
  send({ choices: [{ delta: {}, text: '', finish_reason: 'length' }], usage });
  response.end('data: [DONE]\n\n');
}

function responses(response: ServerResponse, body: Body, reasoning: number): void {
  const count = Number(body.max_output_tokens ?? 4);
  const usage = {
    input_tokens: wordsOf(promptText(body)).length + 3,
    input_tokens_details: { cached_tokens: 2 },
    output_tokens: count,
    output_tokens_details: { reasoning_tokens: reasoning },
  };
  const text = wordsFor(count - reasoning).join(' ');
  const whole = { object: 'response', status: 'completed', usage };
  if (body.stream !== true)
    return json(response, {
      ...whole,
      output: [{ type: 'message', content: [{ type: 'output_text', text }] }],
    });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  function send(type: string, value: object): void {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`);
  }
  send('response.created', { response: { status: 'in_progress' } });
  send('response.output_item.added', { item: { type: 'message' } });
  for (let i = 0; i < reasoning; i += 1) send('response.reasoning_text.delta', { delta: 'hm ' });
  for (const word of wordsFor(count - reasoning)) send('response.output_text.delta', { delta: `${word} ` });
  send('response.completed', { response: whole });
  response.end();
}

function embeddings(response: ServerResponse, body: Body, leaveOut: number): void {
  const inputs = [body.input ?? []].flat().map(String);
  const tokens = inputs.reduce((sum, text) => sum + wordsOf(text).length, 0);
  json(response, {
    object: 'list',
    data: inputs.slice(leaveOut).map((_, index) => ({ object: 'embedding', index, embedding: [0.1, 0.2] })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

function rerank(response: ServerResponse, body: Body): void {
  const { query = '', documents = [] } = body;
  const tokens = wordsOf([query, ...documents].join(' ')).length;
  json(response, {
    results: documents.map((_, index) => ({ index, relevance_score: 1 / (index + 1) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

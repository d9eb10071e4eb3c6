import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { monotonicMicroseconds } from '../../io/clock.ts';
import { serve } from '../../io/http-server/serve.ts';
import type { Inbound, Listening, Reply } from '../../io/http-server/types.ts';
import { numberPlaceholder, planAnswer, stampPlaceholder } from './plan-answer.ts';
import type { PlannedAnswer } from './plan-answer.ts';
import { caseOfModel } from './truth-case.ts';
import type { TruthCase } from './truth-case.ts';

const Body = z.object({
  model: z.string().default(''),
  stream: z.boolean().default(false),
  max_tokens: z.int().positive().default(16),
  prompt: z.string().optional(),
  messages: z.array(z.object({ content: z.unknown() })).optional(),
});
const TokenizeBody = z.object({ content: z.string() });

/** What the server saw, for tests and for its counters. */
export interface TruthState {
  requests: number;
  running: number;
  mostRunning: number;
  promptTokens: number;
  outputTokens: number;
}

/** How many answers a case has under way, and who waits. */
interface Turnstile {
  requests: number;
  running: number;
  readonly waiting: (() => void)[];
}

export interface TruthServer extends Listening {
  readonly url: string;
  readonly state: Readonly<TruthState>;
}

/**
 * A model server whose answers are known beforehand, to measure the measuring with. Chat and completions, streamed or
 * not, as the case in `model` says; `/tokenize` counts words; `/metrics` has llama-server's counters.
 */
export async function startTruthServer(listen: { address: string; port: number }): Promise<TruthServer> {
  const state: TruthState = { requests: 0, running: 0, mostRunning: 0, promptTokens: 0, outputTokens: 0 };
  const turnstiles = new Map<string, Turnstile>();
  const server = await serve(listen, (inbound, reply) => route(inbound, reply, state, turnstiles));
  return { ...server, url: `http://${server.address}:${server.port}`, state };
}

async function route(
  inbound: Inbound,
  reply: Reply,
  state: TruthState,
  turnstiles: Map<string, Turnstile>,
): Promise<void> {
  switch (inbound.url) {
    case '/health':
      return json(reply, 200, { status: 'ok' });
    case '/v1/models':
      return json(reply, 200, { object: 'list', data: [{ id: 'truth', object: 'model' }] });
    case '/metrics':
      return text(reply, metrics(state));
    case '/tokenize': {
      const body = TokenizeBody.safeParse(JSON.parse((await inbound.body(1 << 24)).toString()));
      if (!body.success) return json(reply, 400, { error: { message: 'content is missing' } });
      return json(reply, 200, { tokens: wordsOf(body.data.content) });
    }
    case '/v1/chat/completions':
    case '/v1/completions':
      return answer(inbound, reply, state, turnstiles);
    default:
      return json(reply, 404, { error: { message: `No ${inbound.url} here.` } });
  }
}

async function answer(
  inbound: Inbound,
  reply: Reply,
  state: TruthState,
  turnstiles: Map<string, Turnstile>,
): Promise<void> {
  const body = Body.parse(JSON.parse((await inbound.body(1 << 26)).toString()));
  const truth = caseOfModel(body.model);
  const turnstile = turnstiles.get(body.model) ?? { requests: 0, running: 0, waiting: [] };
  turnstiles.set(body.model, turnstile);
  turnstile.requests += 1;
  const number = turnstile.requests;
  await enter(turnstile, truth);
  state.requests += 1;
  state.running += 1;
  state.mostRunning = Math.max(state.mostRunning, state.running);
  const content = body.prompt ?? (body.messages ?? []).map((message) => String(message.content)).join(' ');
  const promptTokens = wordsOf(content).length + (body.messages ? truth.templateTokens : 0);
  const plan = planAnswer(truth, {
    chat: body.messages !== undefined,
    stream: body.stream,
    maxTokens: body.max_tokens,
    promptTokens,
    number,
  });
  try {
    await play({ ...plan, number }, inbound, reply, () => {
      state.promptTokens += plan.status === 200 ? promptTokens : 0;
      state.outputTokens += plan.outputTokens;
    });
  } finally {
    state.running -= 1;
    turnstile.running -= 1;
    turnstile.waiting.shift()?.();
  }
}

async function enter(turnstile: Turnstile, truth: TruthCase): Promise<void> {
  while (truth.slots !== null && turnstile.running >= truth.slots)
    await new Promise<void>((resolve) => turnstile.waiting.push(resolve));
  turnstile.running += 1;
}

/** Writes what the plan says when it says so. `count` is called before the end is written, as engines count. */
async function play(
  plan: PlannedAnswer & { number: number },
  inbound: Inbound,
  reply: Reply,
  count: () => void,
): Promise<void> {
  const start = performance.now();
  if (plan.ending === 'hang' && plan.writes.length === 0) return gone(inbound);
  const streamed = plan.contentType === 'text/event-stream';
  if (streamed) reply.head(plan.status, ['content-type', plan.contentType, 'cache-control', 'no-store']);
  for (const [i, write] of plan.writes.entries()) {
    const wait = start + write.atMs - performance.now();
    // Timers have a grain of 1 ms and fire early by parts of it.
    if (wait > 0.3) await delay(wait);
    if (inbound.closed.aborted) return;
    if (i === plan.writes.length - 1) count();
    if (!streamed) reply.head(plan.status, ['content-type', plan.contentType]);
    reply.write(stamped(write.bytes, plan.number));
  }
  if (plan.holdOpenMs > 0) await delay(plan.holdOpenMs);
  if (plan.ending === 'end') reply.end();
  else if (plan.ending === 'hang') await gone(inbound);
  else {
    // What was written must arrive before the connection goes.
    await delay(20);
    if (plan.ending === 'reset') reply.reset();
    else reply.abort();
  }
}

function gone(inbound: Inbound): Promise<void> {
  return new Promise((resolve) => inbound.onClosed(resolve));
}

function stamped(bytes: Buffer, number: number): Buffer {
  const copy = Buffer.from(bytes);
  put(copy, numberPlaceholder, number);
  put(copy, stampPlaceholder, monotonicMicroseconds());
  return copy;
}

function put(bytes: Buffer, placeholder: string, value: number): void {
  const at = bytes.indexOf(placeholder);
  if (at >= 0) bytes.write(String(value).padStart(placeholder.length, '0'), at);
}

function wordsOf(content: string): string[] {
  return content.split(/\s+/).filter((word) => word !== '');
}

function json(reply: Reply, status: number, value: unknown): void {
  reply.head(status, ['content-type', 'application/json']);
  reply.end(JSON.stringify(value));
}

function text(reply: Reply, value: string): void {
  reply.head(200, ['content-type', 'text/plain; version=0.0.4']);
  reply.end(value);
}

function metrics(state: TruthState): string {
  return [
    '# TYPE llamacpp:prompt_tokens_total counter',
    `llamacpp:prompt_tokens_total ${state.promptTokens}`,
    '# TYPE llamacpp:tokens_predicted_total counter',
    `llamacpp:tokens_predicted_total ${state.outputTokens}`,
    '',
  ].join('\n');
}

import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import type { Http, HttpReply } from '../../io/http.ts';

export interface TokenQuestion {
  /** Base URL without /v1. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  /** Endpoints that the server has; empty: not known. */
  readonly paths: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** PEM of the authorities that are trusted. */
  readonly ca?: string;
}

export interface TokenAnswer {
  /** Null when it answered as it should; else the end of a sentence. */
  readonly fault: string | null;
  /** Null: no answer came. */
  readonly status: number | null;
  readonly path: string;
  readonly headers: HttpReply['headers'];
}

interface Endpoint {
  readonly path: string;
  readonly body: (model: string) => object;
  /** What a good answer has at least. */
  readonly reply: z.ZodType;
}

const Choices = z.object({ choices: z.array(z.looseObject({})).min(1) });

/** The least that each can be asked for, the likeliest first. */
const askable: readonly Endpoint[] = [
  {
    path: '/v1/chat/completions',
    body: (model) => ({ model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }),
    reply: Choices,
  },
  { path: '/v1/completions', body: (model) => ({ model, prompt: 'Hi', max_tokens: 1 }), reply: Choices },
  {
    path: '/v1/embeddings',
    body: (model) => ({ model, input: 'Hi' }),
    reply: z.object({ data: z.array(z.looseObject({})).min(1) }),
  },
  {
    path: '/v1/rerank',
    body: (model) => ({ model, query: 'Hi', documents: ['Hi'] }),
    reply: z.object({ results: z.array(z.looseObject({})).min(1) }),
  },
];

/**
 * Asks for one token: of the endpoints that the server has, the first that its model can answer. A model that only embeds refuses
 * chat, so a refusal of one is not the end. Never rejects but by the signal.
 */
export async function askToken(http: Http, question: TokenQuestion): Promise<TokenAnswer> {
  const { paths } = question;
  let first: TokenAnswer | null = null;
  for (const endpoint of askable) {
    if (paths.length > 0 && !paths.includes(endpoint.path)) continue;
    const answer = await ask(http, question, endpoint);
    if (answer.fault === null) return answer;
    first ??= answer;
    if (!refusesEndpoint(answer.status)) return answer;
  }
  const fault = 'has no endpoint that can be asked for one token';
  return first ?? { fault, status: null, path: '', headers: {} };
}

/** As opposed to one that is not well, does not know us, or has too much to do. */
function refusesEndpoint(status: number | null): boolean {
  return status !== null && [400, 404, 405, 422, 500, 501].includes(status);
}

async function ask(http: Http, question: TokenQuestion, endpoint: Endpoint): Promise<TokenAnswer> {
  const { url, headers, model, timeoutMs, signal, ca } = question;
  const { path } = endpoint;
  try {
    const reply = await http.request(url + path, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(endpoint.body(model)),
      timeoutMs,
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
    return { fault: faultOf(reply, endpoint), status: reply.status, path, headers: reply.headers };
  } catch (error) {
    signal.throwIfAborted();
    return { fault: silenceOf(error, timeoutMs), status: null, path, headers: {} };
  }
}

/** Why no answer came, as the end of a sentence. */
export function silenceOf(error: unknown, timeoutMs: number): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'does not listen yet';
  if (code === 'ABORT_ERR') return `does not answer within ${timeoutMs / 1000} s`;
  return `does not answer (${code ?? String(error)})`;
}

const shownText = 160;

function faultOf({ status, text }: HttpReply, { reply }: Endpoint): string | null {
  const json = parseJson(text);
  if (status !== 200) {
    const said = Refusal.safeParse(json).data?.error;
    const message = typeof said === 'string' ? said : (said?.message ?? text);
    return `answers ${status}: ${message.slice(0, shownText)}`;
  }
  return reply.safeParse(json).success
    ? null
    : `answers 200 without what was asked for: ${text.slice(0, shownText)}`;
}

const Refusal = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

import type { Inbound, Reply } from '../io/http-server/types.ts';
import { answer, shaped } from './answer.ts';
import { embeddings } from './embeddings.ts';
import { metricsPage, models, props, slots } from './identity.ts';
import { countTokens, messages } from './messages.ts';
import { promptTokens } from './prompt-tokens.ts';
import { sendJson } from './refusal.ts';
import { chatShape, textShape } from './replies.ts';
import {
  ChatRequest,
  CompletionRequest,
  DetokenizeRequest,
  TemplateRequest,
  TokenizeRequest,
  bodyLimit,
  parseBody,
} from './requests.ts';
import type { Service } from './service.ts';

export type Route = (service: Service, inbound: Inbound, reply: Reply) => void | Promise<void>;

/** Paths as llama-server has them, by method. */
export const routes: Readonly<Record<string, Readonly<Partial<Record<'GET' | 'POST', Route>>>>> = {
  '/v1/models': { GET: models },
  '/models': { GET: models },
  '/props': { GET: props },
  '/slots': { GET: slots },
  '/metrics': { GET: metricsPage },
  '/tokenize': { POST: tokenize },
  '/detokenize': { POST: detokenize },
  '/apply-template': { POST: applyTemplate },
  '/v1/completions': { POST: completions },
  '/v1/chat/completions': { POST: chat },
  '/v1/embeddings': { POST: embeddings },
  '/v1/messages': { POST: messages },
  '/v1/messages/count_tokens': { POST: countTokens },
};

async function completions(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(CompletionRequest, await inbound.body(bodyLimit));
  const prompts = request.prompt.map((prompt) => promptTokens(service.engine, prompt));
  await answer(service, { write: shaped(textShape, request), prompts, request }, inbound, reply);
}

async function chat(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(ChatRequest, await inbound.body(bodyLimit));
  const text = service.chatPrompt(request.messages, request.chat_template_kwargs);
  const prompts = [promptTokens(service.engine, text)];
  await answer(service, { write: shaped(chatShape, request), prompts, request }, inbound, reply);
}

async function tokenize(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(TokenizeRequest, await inbound.body(bodyLimit));
  const { engine } = service;
  const plain = engine.tokenize(request.content, request.parse_special ?? true);
  const begin = request.add_special && engine.beginToken !== null ? [engine.beginToken] : [];
  const tokens = [...begin, ...plain];
  if (!request.with_pieces) return sendJson(reply, { tokens });
  sendJson(reply, { tokens: tokens.map((id) => ({ id, piece: piece(engine.spelled(id)) })) });
}

/** A piece that is no whole text is given as its bytes. */
function piece(bytes: Uint8Array): string | number[] {
  const text = Buffer.from(bytes).toString('utf8');
  return text.includes('\uFFFD') ? [...bytes] : text;
}

async function detokenize(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const { tokens } = parseBody(DetokenizeRequest, await inbound.body(bodyLimit));
  sendJson(reply, { content: Buffer.concat(tokens.map(service.engine.spelled)).toString('utf8') });
}

async function applyTemplate(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(TemplateRequest, await inbound.body(bodyLimit));
  sendJson(reply, { prompt: service.chatPrompt(request.messages, request.chat_template_kwargs) });
}

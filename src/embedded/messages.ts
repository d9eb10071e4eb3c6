import { streamError } from '../domain/dialects.ts';
import type { Inbound, Reply } from '../io/http-server/types.ts';
import { answer, eventStreamHead, failure } from './answer.ts';
import type { Writer } from './answer.ts';
import type { GenerationEnd } from './generation.ts';
import { promptTokens } from './prompt-tokens.ts';
import { sendJson } from './refusal.ts';
import type { Identity } from './replies.ts';
import { MessagesRequest, bodyLimit, parseBody } from './requests.ts';
import type { Service } from './service.ts';

/** Anthropic's Messages, whole or as a stream: https://docs.anthropic.com/en/api/messages */
export async function messages(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(MessagesRequest, await inbound.body(bodyLimit));
  const prompt = promptOf(service, request);
  const write = request.stream ? streamed(prompt.length) : whole;
  await answer(service, { write, prompts: [prompt], request }, inbound, reply);
}

export async function countTokens(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(MessagesRequest, await inbound.body(bodyLimit));
  sendJson(reply, { input_tokens: promptOf(service, request).length });
}

function promptOf(service: Service, request: MessagesRequest): number[] {
  return promptTokens(service.engine, service.chatPrompt(request.messages, request.chat_template_kwargs));
}

/** `input_tokens` does not hold what came from the cache. */
function usageOf({ cachedTokens, outputTokens, promptTokens: prompt }: GenerationEnd) {
  return {
    cache_read_input_tokens: cachedTokens,
    input_tokens: prompt - cachedTokens,
    output_tokens: outputTokens,
  };
}

function stopOf({ finish, stop }: GenerationEnd) {
  const ended = stop === null ? 'end_turn' : 'stop_sequence';
  return { stop_reason: finish === 'length' ? 'max_tokens' : ended, stop_sequence: stop };
}

function messageOf({ id, model }: Identity) {
  return { id, type: 'message', role: 'assistant', model };
}

function whole(identity: Identity, reply: Reply): Writer {
  let said = '';
  return {
    text: (_, text) => (said += text),
    ended: () => {},
    done: (ends) => {
      const end = ends[0] as GenerationEnd;
      if (end.finish === 'error') throw failure(end);
      if (end.finish === 'aborted') return reply.abort();
      sendJson(reply, {
        ...messageOf(identity),
        content: [{ type: 'text', text: said }],
        ...stopOf(end),
        usage: usageOf(end),
      });
    },
  };
}

/** One block of text between its start and its stop; the head goes out with the first event. */
function streamed(promptLength: number): (identity: Identity, reply: Reply) => Writer {
  return (identity, reply) => {
    function send(type: string, fields: Record<string, unknown> = {}): void {
      reply.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
    }
    function open(): void {
      if (reply.started) return;
      reply.head(200, eventStreamHead);
      const usage = { input_tokens: promptLength, output_tokens: 0 };
      send('message_start', {
        message: { ...messageOf(identity), content: [], stop_reason: null, stop_sequence: null, usage },
      });
      send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    }
    return {
      text: (_, text) => {
        open();
        send('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
      },
      ended: (_, end) => {
        if (end.finish === 'aborted') return;
        if (end.finish === 'error' && !reply.started) throw failure(end);
        open();
        if (end.finish === 'error') {
          const { message, status } = failure(end);
          reply.write(streamError('anthropic', { status, message, type: 'server_error', code: null }));
          return;
        }
        send('content_block_stop', { index: 0 });
        send('message_delta', { delta: stopOf(end), usage: usageOf(end) });
        send('message_stop');
      },
      done: (ends) => {
        if (ends.some(({ finish }) => finish === 'aborted' || finish === 'error')) reply.abort();
        else reply.end();
      },
    };
  };
}

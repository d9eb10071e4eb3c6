import { ApiError, ask, errorOf } from '../api.ts';
import { serverEvents } from '../server-events.ts';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[];
  /** Null leaves it to the server. */
  readonly temperature: number | null;
  readonly maxTokens: number | null;
}

export type ChatEvent =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: string }
  | { readonly type: 'usage'; readonly prompt: number; readonly output: number };

/** The fields of a chunk that the page reads; servers send more, and may leave any of these out. */
interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null; readonly reasoning_content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
}

/** Asks the gateway and yields the answer as it is made. Ends at [DONE]; a stream that ends without it rejects, as it was cut. */
export async function* chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const { model, messages, temperature, maxTokens } = request;
  const response = await ask('/chat', {
    method: 'POST',
    signal,
    body: {
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      ...(temperature === null ? {} : { temperature }),
      ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    },
  });
  for await (const { data } of serverEvents(response.body as ReadableStream<Uint8Array>)) {
    if (data === '[DONE]') return;
    yield* chatEvents(data);
  }
  throw cut();
}

/** What one chunk says. An error in the middle of a stream is thrown with its own words. */
export function chatEvents(data: string): ChatEvent[] {
  const chunk = JSON.parse(data) as Chunk;
  if (chunk.error !== undefined) throw errorOf(200, data);
  const events: ChatEvent[] = [];
  const choice = chunk.choices?.[0];
  if (choice?.delta?.reasoning_content)
    events.push({ type: 'reasoning', text: choice.delta.reasoning_content });
  if (choice?.delta?.content) events.push({ type: 'text', text: choice.delta.content });
  if (choice?.finish_reason) events.push({ type: 'finish', reason: choice.finish_reason });
  const { prompt_tokens: prompt, completion_tokens: output } = chunk.usage ?? {};
  if (prompt !== undefined && output !== undefined) events.push({ type: 'usage', prompt, output });
  return events;
}

function cut(): ApiError {
  return new ApiError(0, {
    code: 'STREAM_CUT',
    message: 'The answer was cut off before its end.',
    cure: 'The engine or the gateway went away in the middle; look at the fleet and the logs.',
  });
}

import type { Inbound, Reply } from '../io/http-server/types.ts';
import { promptTokens } from './prompt-tokens.ts';
import { Refusal, notSupported, sendJson } from './refusal.ts';
import { EmbeddingRequest, bodyLimit, parseBody } from './requests.ts';
import type { Service } from './service.ts';

/** One vector an input, of unit length. Runs between steps, so that answers and embeddings do not share the threads. */
export async function embeddings(service: Service, inbound: Inbound, reply: Reply): Promise<void> {
  const request = parseBody(EmbeddingRequest, await inbound.body(bodyLimit));
  if (!service.options.embeddings)
    throw new Refusal(
      501,
      'not_supported_error',
      'This server does not support embeddings. Start it with `--embeddings`',
    );
  const format = request.encoding_format ?? 'float';
  if (format !== 'float' && format !== 'base64') throw notSupported(`encoding_format ${format}`);
  const inputs = request.input.map((input) => promptTokens(service.engine, input));
  const vectors: number[][] = [];
  for (const tokens of inputs) {
    checkLength(service, tokens.length);
    if (inbound.closed.aborted) return;
    vectors.push(unit(await service.scheduler.exclusive(() => service.engine.embed(tokens))));
  }
  const tokens = inputs.reduce((sum, input) => sum + input.length, 0);
  sendJson(reply, {
    model: service.name,
    object: 'list',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    data: vectors.map((vector, index) => ({
      embedding: format === 'base64' ? base64(vector) : vector,
      index,
      object: 'embedding',
    })),
  });
}

function checkLength(service: Service, length: number): void {
  const { context } = service.options;
  if (length <= context && length > 0) return;
  throw new Refusal(
    400,
    'exceed_context_size_error',
    `input (${length} tokens) is empty or exceeds the available context size (${context} tokens)`,
    { n_prompt_tokens: length, n_ctx: context },
  );
}

function unit(vector: readonly number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return length === 0 ? [...vector] : vector.map((x) => x / length);
}

/** Little-endian single precision, as OpenAI's clients ask for by default. */
function base64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}

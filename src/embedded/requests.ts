import { z } from 'zod';
import { invalidRequest, notSupported } from './refusal.ts';

/** Larger than any prompt that fits a context; bodies over it are refused unread. */
export const bodyLimit = 64 * 1024 * 1024;

/** Clients send null for "not given"; so does the default of several libraries. */
function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const Stop = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** The fields that completions and chat share; what we do not know is ignored, what we cannot do is refused. */
const common = {
  max_tokens: optional(z.int()),
  max_completion_tokens: optional(z.int()),
  n_predict: optional(z.int()),
  temperature: optional(z.number()),
  top_k: optional(z.int()),
  top_p: optional(z.number()),
  min_p: optional(z.number()),
  seed: optional(z.int()),
  stop: optional(Stop),
  n: optional(z.int().min(1).max(128)),
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  ignore_eos: optional(z.boolean()),
  cache_prompt: optional(z.boolean()),
  repeat_penalty: optional(z.number().positive()),
  repeat_last_n: optional(z.int()),
  presence_penalty: optional(z.number()),
  frequency_penalty: optional(z.number()),
  logit_bias: optional(z.record(z.string(), z.number())),
};

const Prompt = z.union([
  z.string().transform((text): (string | number[])[] => [text]),
  z.array(z.int()).transform((tokens): (string | number[])[] => [tokens]),
  z.array(z.union([z.string(), z.array(z.int())])),
]);

export const CompletionRequest = z.object({ ...common, prompt: Prompt });
export type CompletionRequest = z.infer<typeof CompletionRequest>;

const Part = z.looseObject({ type: z.string(), text: optional(z.string()) });
const Message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(Part), z.null()]).optional(),
});
export type Message = z.infer<typeof Message>;

export const ChatRequest = z.object({
  ...common,
  messages: z.array(Message).min(1),
  chat_template_kwargs: optional(z.record(z.string(), z.unknown())),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** Anthropic's Messages, read as the chat that they are: `system` is its first message, and there is one answer. */
export const MessagesRequest = ChatRequest.extend({
  system: optional(z.union([z.string(), z.array(Part)])),
  stop_sequences: optional(z.array(z.string())),
}).transform(({ system, stop_sequences: stop, messages, ...chat }) => ({
  ...chat,
  n: undefined,
  stop: stop ?? chat.stop,
  messages: system === undefined ? messages : [{ role: 'system', content: system }, ...messages],
}));
export type MessagesRequest = z.infer<typeof MessagesRequest>;

export const EmbeddingRequest = z.object({ input: Prompt, encoding_format: optional(z.string()) });
export const TokenizeRequest = z.object({
  content: z.string(),
  add_special: optional(z.boolean()),
  parse_special: optional(z.boolean()),
  with_pieces: optional(z.boolean()),
});
export const DetokenizeRequest = z.object({ tokens: z.array(z.int().min(0)) });
export const TemplateRequest = ChatRequest.pick({ messages: true, chat_template_kwargs: true });

/** Parses a body; throws Refusal 400 that names the field. */
export function parseBody<T extends z.ZodType>(schema: T, body: Buffer): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalidRequest(`The body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null) throw invalidRequest('The body is not a JSON object.');
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    refuseUnsupported(value as Record<string, unknown>);
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  if (issue && valueAt(value, issue.path) === undefined) throw invalidRequest(`'${field}' is required`);
  throw invalidRequest(`Field '${field}': ${issue?.message ?? 'not understood'}`);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null)?.[key], value);
}

/** Fields that would change the answer: to pass over them in silence would be a wrong answer. */
function refuseUnsupported(body: Record<string, unknown>): void {
  if (body['logprobs'] || Number(body['top_logprobs'] ?? 0) > 0) throw notSupported('logprobs');
  if (Array.isArray(body['tools']) && body['tools'].length > 0) throw notSupported('tools');
  if (body['grammar'] || body['json_schema']) throw notSupported('grammars');
  if (body['echo'] === true) throw notSupported('echo');
  if ((body['thinking'] as { type?: unknown } | null | undefined)?.type === 'enabled')
    throw notSupported('thinking');
  if (body['suffix']) throw notSupported('suffix');
  if (Number(body['best_of'] ?? 1) > Number(body['n'] ?? 1)) throw notSupported('best_of');
  const format = (body['response_format'] as { type?: unknown } | null | undefined)?.type;
  if (format !== undefined && format !== 'text')
    throw notSupported(`response_format ${JSON.stringify(format)}`);
}

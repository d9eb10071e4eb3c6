import { z } from 'zod';
import type { Exchange } from '../../io/timed-request.ts';
import { parseJson } from '../../domain/json.ts';
import { emptyAnswer, shorten } from '../answer.ts';
import type { Draft } from '../answer.ts';
import { EventCursor } from '../event-stream.ts';
import type { BenchEndpoint } from './contract.ts';

const Options = z.strictObject({ kind: z.literal('responses') });

const count = z.int().nullish();
const Usage = z.object({
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count }).nullish(),
  output_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
});
const Whole = z.object({
  id: z.string().nullish(),
  status: z.string().nullish(),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish(),
  output: z
    .array(z.object({ content: z.array(z.object({ text: z.string().nullish() })).nullish() }))
    .nullish(),
  usage: Usage.nullish(),
  error: z.unknown().optional(),
});
type Whole = z.infer<typeof Whole>;
const StreamedEvent = z.object({
  type: z.string().nullish(),
  delta: z.unknown().optional(),
  response: Whole.nullish(),
});

/** Events that carry a piece of the answer: whether it is content, or reasoning, or a call of a tool. */
const pieces: Readonly<Record<string, 'content' | 'reasoning' | 'call'>> = {
  'response.output_text.delta': 'content',
  'response.refusal.delta': 'content',
  'response.reasoning_text.delta': 'reasoning',
  'response.reasoning_summary_text.delta': 'reasoning',
  'response.function_call_arguments.delta': 'call',
};

/** Cut at the length asked for, a response is incomplete, and over. */
const overWith: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete']);
const failedWith: ReadonlySet<string> = new Set(['response.failed', 'error']);

function read(exchange: Exchange, keepText: boolean): Draft {
  const draft = emptyAnswer();
  if (!exchange.contentType.includes('event-stream')) readWhole(draft, exchange);
  else {
    const cursor = new EventCursor(exchange.body);
    for (let event = cursor.next(); event; event = cursor.next())
      if (event.data !== '[DONE]') readEvent(draft, exchange, { ...event, keepText });
  }
  return draft;
}

function readEvent(
  draft: Draft,
  exchange: Exchange,
  event: { name: string; data: string; at: number; keepText: boolean },
): void {
  const parsed = StreamedEvent.safeParse(parseJson(event.data));
  if (!parsed.success) {
    // A stream that was cut may end in half an event: that is the cut's fault.
    if (!exchange.fault) draft.fault ??= { kind: 'malformed', message: shorten(event.data) };
    return;
  }
  const { type, delta, response } = parsed.data;
  const name = type ?? event.name;
  if (failedWith.has(name)) draft.fault ??= { kind: 'stream-error', message: shorten(event.data) };
  const piece = pieces[name];
  if (piece !== undefined && typeof delta === 'string' && delta !== '') {
    draft.tokenTimes.push(event.at);
    if (piece === 'reasoning') draft.reasoningEvents += 1;
    if (piece === 'content') {
      draft.firstContent ??= event.at;
      if (event.keepText) draft.text += delta;
    }
  }
  if (response) takeNumbers(draft, response);
  if (overWith.has(name)) draft.complete = true;
}

function readWhole(draft: Draft, exchange: Exchange): void {
  const body = exchange.body.bytes.toString('utf8');
  const parsed = Whole.safeParse(parseJson(body));
  if (!parsed.success) {
    if (!exchange.fault) draft.fault = { kind: 'malformed', message: shorten(body) };
    return;
  }
  const { data } = parsed;
  if ((data.error ?? null) !== null || data.status === 'failed')
    draft.fault = { kind: 'stream-error', message: shorten(body) };
  takeNumbers(draft, data);
  draft.text = (data.output ?? [])
    .flatMap(({ content }) => (content ?? []).map(({ text }) => text ?? ''))
    .join('');
  draft.complete = (data.output ?? null) !== null;
}

function takeNumbers(draft: Draft, { id, status, incomplete_details: why, usage }: Whole): void {
  draft.id ??= id ?? null;
  if (status === 'completed' || status === 'incomplete') draft.finish = why?.reason ?? status;
  if (usage)
    draft.usage = {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      prompt_tokens_details: usage.input_tokens_details,
      completion_tokens_details: usage.output_tokens_details,
    };
}

/** A message as this API takes it: its parts have other names than those of a chat. */
function messageOf({ role, content }: { role: string; content: unknown }): unknown {
  if (!Array.isArray(content)) return { role, content };
  return { role, content: content.map((part: Record<string, unknown>) => partOf(part)) };
}

function partOf(part: Record<string, unknown>): unknown {
  if (part['type'] === 'text') return { type: 'input_text', text: part['text'] };
  if (part['type'] !== 'image_url') return part;
  const image = part['image_url'] as { url?: unknown } | null;
  return { type: 'input_image', image_url: image?.url };
}

/** OpenAI's newer API, with events of its own. */
export const responses: BenchEndpoint<'responses', z.infer<typeof Options>> = {
  kind: 'responses',
  title: 'responses',
  path: '/v1/responses',
  options: Options,
  generates: true,
  takes: ['prompt', 'images'],
  countsTexts: true,
  // OpenAI's own server takes no fewer.
  leastOutput: 16,
  body: ({ model, prompt, stream, temperature }) => ({
    model,
    input: typeof prompt.content === 'string' ? prompt.content : prompt.content.map(messageOf),
    ...(prompt.outputTokens === null ? {} : { max_output_tokens: prompt.outputTokens }),
    ...(temperature === null ? {} : { temperature }),
    stream,
    // Kept answers would fill the server's memory with what nobody asks for again.
    store: false,
  }),
  read,
};

import { z } from 'zod';
import { parseJson } from '../domain/json.ts';
import type { Exchange } from '../io/timed-request.ts';
import { EventCursor } from './event-stream.ts';
import { EventTemplate } from './event-template.ts';
import type { TextField } from './event-template.ts';
import type { Answer } from './endpoints/contract.ts';

const text = z.string().nullish();
const Words = z.object({
  content: text,
  reasoning_content: text,
  reasoning: text,
  tool_calls: z.array(z.unknown()).nullish(),
});
const Usage = z.object({
  prompt_tokens: z.int().nullish(),
  completion_tokens: z.int().nullish(),
  prompt_tokens_details: z.object({ cached_tokens: z.int().nullish() }).nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: z.int().nullish() }).nullish(),
});
const Timings = z.object({
  prompt_n: z.int().nullish(),
  prompt_ms: z.number().nullish(),
  predicted_n: z.int().nullish(),
  predicted_ms: z.number().nullish(),
  cache_n: z.int().nullish(),
});

/** What a chunk of a stream and a whole answer have in common, chat and completions alike. */
const Message = z.object({
  id: text,
  choices: z
    .array(z.object({ delta: Words.nullish(), message: Words.nullish(), text, finish_reason: text }))
    .nullish(),
  usage: Usage.nullish(),
  timings: Timings.nullish(),
  error: z.unknown().optional(),
});
type Message = z.infer<typeof Message>;

/**
 * Reads a finished exchange of chat or completions: server-sent events where the server sent such, else one JSON object. The text of a stream
 * is put together only where it is kept.
 */
export function readAnswer(exchange: Exchange, keepText: boolean): Answer {
  return exchange.contentType.includes('event-stream') ? readStream(exchange, keepText) : readWhole(exchange);
}

function readStream(exchange: Exchange, keepText: boolean): Answer {
  const draft = emptyAnswer();
  const cursor = new EventCursor(exchange.body);
  let template: EventTemplate | null = null;
  for (;;) {
    if (template?.matches(cursor)) {
      takeMatch(draft, cursor, template, keepText);
      continue;
    }
    const start = cursor.position;
    const event = cursor.next();
    if (!event) return draft;
    if (event.data === '[DONE]') {
      draft.complete = true;
      continue;
    }
    const message = parseMessage(event.data);
    if (!message) {
      // A stream that was cut may end in half an event: that is the cut's fault.
      if (!exchange.fault) draft.fault ??= { kind: 'malformed', message: shorten(event.data) };
      continue;
    }
    if (event.name === 'error' || (message.error !== undefined && message.error !== null))
      draft.fault ??= { kind: 'stream-error', message: shorten(event.data) };
    takeNumbers(draft, message);
    takeWords(draft, message, event.at, keepText);
    const field = soleText(message);
    if (field && event.name === '') template = EventTemplate.learn(cursor, start, field) ?? template;
  }
}

/** The field whose text is all that the event says beside its envelope; null when it says anything else. */
function soleText({ choices, usage, timings, error }: Message): TextField | null {
  const [choice, another] = choices ?? [];
  if (!choice || another || usage || timings || error || choice.finish_reason) return null;
  const { delta, text: plain } = choice;
  if (delta?.tool_calls?.length) return null;
  const found: TextField[] = [];
  if (delta?.content) found.push('content');
  if (plain) found.push('text');
  if (delta?.reasoning_content) found.push('reasoning_content');
  if (delta?.reasoning) found.push('reasoning');
  return found.length === 1 ? (found[0] as TextField) : null;
}

/** What `takeWords` does, for an event that is the template with another text. */
function takeMatch(draft: Draft, cursor: EventCursor, template: EventTemplate, keepText: boolean): void {
  const at = cursor.timeOf(cursor.dataEnd);
  draft.tokenTimes.push(at);
  if (template.field !== 'content' && template.field !== 'text') {
    draft.reasoningEvents += 1;
    return;
  }
  draft.firstContent ??= at;
  if (keepText)
    draft.text += JSON.parse(
      `"${cursor.bytes.toString('utf8', template.textStart, template.textEnd)}"`,
    ) as string;
}

function readWhole(exchange: Exchange): Answer {
  const draft = emptyAnswer();
  const body = exchange.body.bytes.toString('utf8');
  const message = parseMessage(body);
  if (!message) {
    if (!exchange.fault) draft.fault = { kind: 'malformed', message: shorten(body) };
    return draft;
  }
  if (message.error !== undefined && message.error !== null)
    draft.fault = { kind: 'stream-error', message: shorten(body) };
  takeNumbers(draft, message);
  for (const choice of message.choices ?? []) draft.text += choice.message?.content ?? choice.text ?? '';
  draft.complete = message.choices !== undefined && message.choices !== null;
  return draft;
}

/** An answer that is being read. */
export interface Draft extends Answer {
  id: string | null;
  tokenTimes: number[];
  firstContent: number | null;
  reasoningEvents: number;
  finish: string | null;
  complete: boolean;
  usage: Answer['usage'];
  timings: Answer['timings'];
  text: string;
  inputs: number | null;
  fault: Answer['fault'];
}

export function emptyAnswer(): Draft {
  return {
    id: null,
    tokenTimes: [],
    firstContent: null,
    reasoningEvents: 0,
    finish: null,
    complete: false,
    usage: null,
    timings: null,
    text: '',
    inputs: null,
    fault: null,
  };
}

function takeNumbers(draft: Draft, message: Message): void {
  draft.id ??= message.id ?? null;
  if (message.usage) draft.usage = message.usage;
  if (message.timings) draft.timings = message.timings;
  for (const choice of message.choices ?? []) {
    if (!choice.finish_reason) continue;
    draft.finish = choice.finish_reason;
    draft.complete = true;
  }
}

/** An event counts once, however many tokens it carries; one with a role alone carries none. */
function takeWords(draft: Draft, message: Message, at: number, keepText: boolean): void {
  let bears = false;
  let says = false;
  for (const choice of message.choices ?? []) {
    const content = choice.delta?.content || choice.text || '';
    const reasoning = choice.delta?.reasoning_content || choice.delta?.reasoning || '';
    if (content !== '') draft.firstContent ??= at;
    if (content !== '' || choice.delta?.tool_calls?.length) says = true;
    if (reasoning !== '') bears = true;
    if (keepText) draft.text += content;
  }
  if (bears || says) draft.tokenTimes.push(at);
  if (bears && !says) draft.reasoningEvents += 1;
}

function parseMessage(data: string): Message | null {
  const parsed = Message.safeParse(parseJson(data));
  return parsed.success ? parsed.data : null;
}

const Counts = z.object({ usage: Usage.nullish(), error: z.unknown().optional() });

/** The answer of an API that makes no tokens: one JSON object. `count` finds what it has of its texts; null: it is none. */
export function countedAnswer(
  exchange: Exchange,
  count: (value: unknown) => { id: string | null; inputs: number } | null,
): Answer {
  const body = exchange.body.bytes.toString('utf8');
  const value = parseJson(body);
  const found = count(value);
  const counts = Counts.safeParse(value);
  const draft = emptyAnswer();
  if (counts.success && (counts.data.error ?? null) !== null)
    draft.fault = { kind: 'stream-error', message: shorten(body) };
  else if (found === null && !exchange.fault) draft.fault = { kind: 'malformed', message: shorten(body) };
  return {
    ...draft,
    ...found,
    complete: found !== null,
    usage: counts.success ? (counts.data.usage ?? null) : null,
  };
}

export function shorten(message: string): string {
  return message.length > 300 ? `${message.slice(0, 300)}…` : message;
}

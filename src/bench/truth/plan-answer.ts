import type { TruthCase } from './truth-case.ts';

/** Bytes to write at a time counted from the moment the answer was begun. */
export interface PlannedWrite {
  readonly atMs: number;
  readonly bytes: Buffer;
  /** Tokens that it carries. */
  readonly tokens: number;
}

/** An answer as an absolute schedule: no event's time depends on how late the one before it went out. */
export interface PlannedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly writes: readonly PlannedWrite[];
  readonly ending: 'end' | 'truncate' | 'reset' | 'hang';
  readonly holdOpenMs: number;
  readonly outputTokens: number;
}

export interface TruthRequest {
  readonly chat: boolean;
  readonly stream: boolean;
  readonly maxTokens: number;
  readonly promptTokens: number;
  /** Counts from 1 over the case. */
  readonly number: number;
}

/** Replaced by the µs of the monotonic clock when it is written, so that a client can tell its own delay. */
export const stampPlaceholder = '################';
/** Replaced by the number of the request, so that records and the server's log can be told to belong together. */
export const numberPlaceholder = '@@@@@@@@';
const answerId = `truth-${numberPlaceholder}`;

/** What the truth server answers. Pure. */
export function planAnswer(truth: TruthCase, request: TruthRequest): PlannedAnswer {
  const fault = truth.fault && request.number % truth.fault.every === 0 ? truth.fault.kind : null;
  switch (fault) {
    case 'rate-limited':
      return refusal(429, 'Too many requests.');
    case 'client-error':
      return refusal(400, 'No such thing.');
    case 'server-error':
      return refusal(503, 'Busy.');
    case 'hang':
      return { ...refusal(200, ''), writes: [], ending: 'hang' };
    case null:
    case 'stream-error':
    case 'reset':
    case 'truncated':
    case 'malformed':
    case 'empty':
    case 'dead':
      return request.stream ? streamed(truth, request, fault) : whole(truth, request);
  }
}

function refusal(status: number, message: string): PlannedAnswer {
  return {
    status,
    contentType: 'application/json',
    writes: [silent(0, JSON.stringify({ error: { message } }))],
    ending: 'end',
    holdOpenMs: 0,
    outputTokens: 0,
  };
}

function whole(truth: TruthCase, request: TruthRequest): PlannedAnswer {
  const tokens = lengthOf(truth, request);
  const text = Array.from({ length: tokens }, (_, i) => wordOf(i)).join('');
  const choice = request.chat ? { message: { role: 'assistant', content: text } } : { text };
  const body = {
    id: answerId,
    object: request.chat ? 'chat.completion' : 'text_completion',
    choices: [{ index: 0, ...choice, finish_reason: 'length' }],
    usage: usageOf(request, truth.usageTokens ?? tokens),
  };
  const atMs = beginsAt(truth, request) + truth.itlMs * Math.max(0, tokens - 1);
  return {
    status: 200,
    contentType: 'application/json',
    writes: [{ atMs, bytes: Buffer.from(JSON.stringify(body)), tokens }],
    ending: 'end',
    holdOpenMs: 0,
    outputTokens: tokens,
  };
}

type StreamFault = 'stream-error' | 'reset' | 'truncated' | 'malformed' | 'empty' | 'dead' | null;

function streamed(truth: TruthCase, request: TruthRequest, fault: StreamFault): PlannedAnswer {
  const tokens = fault === 'empty' ? 0 : lengthOf(truth, request);
  const events = tokenEvents(truth, request, tokens);
  const lastAt = events.at(-1)?.atMs ?? beginsAt(truth, request);
  const writes: PlannedWrite[] = [];
  if (truth.roleFirst && request.chat)
    writes.push(event(truth, 0, chunk(truth, request, { role: 'assistant', content: '' })));
  if (truth.pings) writes.push(silent(0, `: ping${truth.lineEnd === 'crlf' ? '\r\n\r\n' : '\n\n'}`));
  if (fault === null || fault === 'empty') {
    writes.push(...arrange(truth, events));
    writes.push(...closing(truth, request, tokens, lastAt));
    return stream(writes, 'end', truth.holdOpenMs, tokens);
  }
  const half = events.slice(0, Math.ceil(events.length / 2));
  const at = half.at(-1)?.atMs ?? 0;
  writes.push(...half);
  if (fault === 'stream-error')
    writes.push(event(truth, at, { error: { message: 'boom', type: 'server_error' } }));
  if (fault === 'malformed') writes.push(silent(at, 'data: {no json\n\n'));
  const ending = endings[fault] ?? 'end';
  return stream(writes, ending, 0, half.length * truth.tokensPerEvent);
}

const endings: Readonly<Record<string, PlannedAnswer['ending']>> = {
  reset: 'reset',
  truncated: 'truncate',
  dead: 'hang',
};

function lengthOf(truth: TruthCase, request: TruthRequest): number {
  if (truth.long && request.number % truth.long.every === 0) return truth.long.tokens;
  return truth.tokens ?? request.maxTokens;
}

/** When the first token is due. */
function beginsAt(truth: TruthCase, { number }: TruthRequest): number {
  const slow = truth.slow && number % truth.slow.every === 0 ? truth.slow.ms : 0;
  const cold = truth.cold && number <= truth.cold.first ? truth.cold.ms : 0;
  return truth.ttftMs + slow + cold;
}

function jitterOf(truth: TruthCase, number: number, event: number): number {
  return (((number * 7919 + event * 104_729) % 1000) / 1000) * truth.jitterMs;
}

function stream(
  writes: PlannedWrite[],
  ending: PlannedAnswer['ending'],
  holdOpenMs: number,
  outputTokens: number,
): PlannedAnswer {
  return { status: 200, contentType: 'text/event-stream', writes, ending, holdOpenMs, outputTokens };
}

function tokenEvents(truth: TruthCase, request: TruthRequest, tokens: number): PlannedWrite[] {
  const events: PlannedWrite[] = [];
  const count = Math.ceil(tokens / truth.tokensPerEvent);
  const stalled = truth.stall !== null && request.number % truth.stall.every === 0;
  for (let i = 0; i < count; i += 1) {
    const inEvent = Math.min(truth.tokensPerEvent, tokens - i * truth.tokensPerEvent);
    const text = Array.from({ length: inEvent }, (_, k) => wordOf(i + k)).join('');
    const late = stalled && i >= Math.ceil(count / 2) ? (truth.stall?.ms ?? 0) : 0;
    const words = truth.stampIn === 'text' ? `${text}${stampPlaceholder} ` : text;
    const delta = i < truth.reasoning ? { reasoning_content: words } : { content: words };
    const at = beginsAt(truth, request) + i * truth.itlMs + late + jitterOf(truth, request.number, i);
    events.push({ ...event(truth, at, chunk(truth, request, delta)), tokens: inEvent });
  }
  return events;
}

function closing(truth: TruthCase, request: TruthRequest, tokens: number, lastAt: number): PlannedWrite[] {
  const finish = request.chat ? { delta: {} } : { text: '' };
  const writes = [
    event(truth, lastAt, {
      ...envelope(request),
      choices: [{ index: 0, ...finish, finish_reason: 'length' }],
    }),
  ];
  const late = lastAt + truth.usageDelayMs;
  if (truth.usage)
    writes.push(
      event(truth, late, {
        ...envelope(request),
        choices: [],
        usage: usageOf(request, truth.usageTokens ?? tokens),
      }),
    );
  if (truth.doneLine) writes.push(silent(late, 'data: [DONE]\n\n'));
  if (truth.finalBlankLine) return writes;
  const last = writes.pop() as PlannedWrite;
  return [...writes, silent(last.atMs, last.bytes.toString().trimEnd())];
}

/** The same events, cut into writes otherwise. Two together go out when the second is due. */
function arrange(truth: TruthCase, events: readonly PlannedWrite[]): PlannedWrite[] {
  if (truth.cut === 'whole') return [...events];
  if (truth.cut === 'thirds')
    return events.flatMap(({ atMs, bytes, tokens }) =>
      // With the last part the event is whole.
      thirds(bytes).map((part, i) => ({ atMs, bytes: part, tokens: i === 2 ? tokens : 0 })),
    );
  const paired: PlannedWrite[] = [];
  for (let i = 0; i < events.length; i += 2) {
    const pair = events.slice(i, i + 2);
    paired.push({
      atMs: pair.at(-1)?.atMs ?? 0,
      bytes: Buffer.concat(pair.map((each) => each.bytes)),
      tokens: pair.reduce((sum, each) => sum + each.tokens, 0),
    });
  }
  return paired;
}

function thirds(bytes: Buffer): Buffer[] {
  // Just behind the first byte of a character of several bytes, where there is one.
  const first = bytes.findIndex((byte) => byte >= 0xc0) + 1 || Math.floor(bytes.length / 3);
  const second = Math.max(first + 1, bytes.length - 2);
  return [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
}

function chunk(truth: TruthCase, request: TruthRequest, delta: Record<string, unknown>): object {
  const choice = request.chat ? { delta } : { text: delta['content'] ?? delta['reasoning_content'] };
  const stamp = truth.stampIn === 'envelope' ? { truth: stampPlaceholder } : {};
  return { ...envelope(request), ...stamp, choices: [{ index: 0, ...choice, finish_reason: null }] };
}

/** Some clients take no chunk, and no whole answer, that does not say what it is. */
function envelope({ chat }: TruthRequest): { id: string; object: string } {
  return { id: answerId, object: chat ? 'chat.completion.chunk' : 'text_completion' };
}

function event(truth: TruthCase, atMs: number, value: object): PlannedWrite {
  const end = truth.lineEnd === 'crlf' ? '\r\n\r\n' : '\n\n';
  return silent(atMs, `data: ${JSON.stringify(value)}${end}`);
}

/** A write without tokens. */
function silent(atMs: number, text: string): PlannedWrite {
  return { atMs, bytes: Buffer.from(text), tokens: 0 };
}

function usageOf(request: TruthRequest, tokens: number): object {
  return {
    prompt_tokens: request.promptTokens,
    completion_tokens: tokens,
    total_tokens: request.promptTokens + tokens,
  };
}

/** Every third word has characters of several bytes. */
function wordOf(index: number): string {
  return ['wörd ', 'two ', 'three '][index % 3] as string;
}

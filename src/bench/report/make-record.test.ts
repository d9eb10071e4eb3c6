import { expect, test } from 'vitest';
import type { Exchange } from '../../io/timed-request.ts';
import { RequestRecord } from '../../domain/run/record.ts';
import { makeRecord } from './make-record.ts';
import type { Planned } from './make-record.ts';

const planned: Planned = {
  id: 1,
  stage: 0,
  phase: 'measured',
  stream: 0,
  scheduled: 900,
  askedPrompt: { tokens: 16, source: 'tokenize' },
  askedOutput: 3,
  streamed: true,
  keepText: true,
};

/** An answer in parts; the i-th part is read at 2000 + 1000 i µs. */
function exchange(parts: readonly (string | Buffer)[], changes: Partial<Exchange> = {}): Exchange {
  let end = 0;
  const body = {
    bytes: Buffer.concat(parts.map((part) => Buffer.from(part))),
    at: parts.map((_, i) => 2000 + 1000 * i),
    ends: parts.map((part) => (end += Buffer.from(part).length)),
  };
  return {
    started: 900,
    connected: 950,
    sent: 1000,
    headers: 1500,
    body,
    done: 9000,
    status: 200,
    contentType: 'text/event-stream',
    fault: null,
    ...changes,
  };
}

function chunk(delta: object, more: object = {}): string {
  return `data: ${JSON.stringify({ choices: [{ delta, finish_reason: null }], ...more })}\n\n`;
}

const finish = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'length' }] })}\n\n`;
const done = 'data: [DONE]\n\n';

function usage(output: number): string {
  return `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 20, completion_tokens: output } })}\n\n`;
}

test('the first token is the first event with content, never the one with a role alone', () => {
  const record = makeRecord(
    planned,
    exchange([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'a' }),
      chunk({ content: 'b' }),
      finish + usage(2) + done,
    ]),
  );
  expect(record).toMatchObject({ firstByte: 2000, firstToken: 3000, last: 4000, gaps: [1000], events: 2 });
  expect(record).toMatchObject({ outcome: 'ok', finish: 'length', text: 'ab' });
  expect(record.output).toEqual({ asked: 3, tokens: 2, source: 'usage' });
  expect(record.prompt).toEqual({ asked: 16, tokens: 20, source: 'usage' });
  expect(RequestRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
});

test('reasoning and tool calls are tokens, but not content', () => {
  const record = makeRecord(
    planned,
    exchange([
      chunk({ reasoning_content: 'hm' }),
      chunk({ tool_calls: [{ index: 0 }] }),
      chunk({ content: 'a' }),
      finish,
    ]),
  );
  expect(record).toMatchObject({ firstToken: 2000, firstContent: 4000, events: 3 });
  expect(record.reasoning).toEqual({ tokens: 1, source: 'events' });
});

test('tokens of reasoning are those of usage where it has them, and unknown where nothing showed any', () => {
  const told = `data: ${JSON.stringify({ choices: [], usage: { completion_tokens: 9, completion_tokens_details: { reasoning_tokens: 7 } } })}\n\n`;
  const events = [chunk({ reasoning: 'hm' }), chunk({ content: 'a' }), finish];
  expect(makeRecord(planned, exchange([...events, told])).reasoning).toEqual({ tokens: 7, source: 'usage' });
  // An engine that has no name for them says 0 of those that it just sent.
  const none = told.replace('"reasoning_tokens":7', '"reasoning_tokens":0');
  expect(makeRecord(planned, exchange([...events, none])).reasoning).toEqual({ tokens: 1, source: 'events' });
  expect(makeRecord(planned, exchange([chunk({ content: 'a' }), finish])).reasoning).toBeNull();
});

test('an event with several tokens is one event; the count is the one of usage', () => {
  const record = makeRecord(planned, exchange([chunk({ content: 'a b c d' }), finish + usage(4) + done]));
  expect(record.events).toBe(1);
  expect(record.output.tokens).toBe(4);
});

test('without usage the events are counted, and the record says so', () => {
  const record = makeRecord(planned, exchange([chunk({ content: 'a' }), chunk({ content: 'b' }), finish]));
  expect(record.output).toEqual({ asked: 3, tokens: 2, source: 'events' });
  expect(record.prompt).toEqual({ asked: 16, tokens: 16, source: 'tokenize' });
});

test("llama-server's timings stand in for usage", () => {
  const timings = { prompt_n: 12, prompt_ms: 5.5, predicted_n: 7, predicted_ms: 70, cache_n: 4 };
  const record = makeRecord(planned, exchange([chunk({ content: 'a' }, { timings }), finish]));
  expect(record.prompt).toMatchObject({ tokens: 16, source: 'timings' });
  expect(record.output).toMatchObject({ tokens: 7, source: 'timings' });
  expect(record).toMatchObject({ cached: 4, server: { promptMs: 5.5, outputMs: 70 } });
});

test('the way a stream is cut into reads changes neither text nor counts', () => {
  const stream = Buffer.from(
    `\uFEFF: ping\r\n\r\n${chunk({ content: 'héllo ' }).replaceAll('\n', '\r\n')}event: message\ndata: ${JSON.stringify({ choices: [{ delta: { content: '日本語 🙂' } }] })}\n\n${finish}`,
  );
  for (let size = 1; size < 40; size += 1) {
    const parts: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) parts.push(stream.subarray(at, at + size));
    const record = makeRecord(planned, exchange(parts));
    expect(record).toMatchObject({ outcome: 'ok', text: 'héllo 日本語 🙂', events: 2 });
  }
});

test('two events in one read have the same time; an event over three reads has that of the last', () => {
  const whole = chunk({ content: 'c' });
  const record = makeRecord(
    planned,
    exchange([
      chunk({ content: 'a' }) + chunk({ content: 'b' }),
      whole.slice(0, 9),
      whole.slice(9, 20),
      whole.slice(20),
      finish,
    ]),
  );
  expect(record.gaps).toEqual([0, 3000]);
});

test('a last event without its blank line counts', () => {
  const record = makeRecord(planned, exchange([chunk({ content: 'a' }), finish.trimEnd()]));
  expect(record).toMatchObject({ outcome: 'ok', finish: 'length' });
});

test.each([
  [
    'an error event inside a stream',
    [chunk({ content: 'a' }), 'data: {"error":{"message":"boom"}}\n\n'],
    {},
    'stream-error',
  ],
  ['a stream that just ends', [chunk({ content: 'a' })], {}, 'truncated'],
  [
    'a body cut short',
    [chunk({ content: 'a' })],
    { fault: { kind: 'truncated', message: 'aborted' } },
    'truncated',
  ],
  ['a reset', [chunk({ content: 'a' })], { fault: { kind: 'reset', message: 'ECONNRESET' } }, 'reset'],
  [
    'a refused connection',
    [],
    { fault: { kind: 'connect', message: 'ECONNREFUSED' }, status: null },
    'connect',
  ],
  ['a bad certificate', [], { fault: { kind: 'tls', message: 'self-signed' }, status: null }, 'tls'],
  ['a time-out', [], { fault: { kind: 'timeout', message: 'late' } }, 'timeout'],
  ['a request that we cut', [], { fault: { kind: 'cut', message: 'cut' } }, 'censored'],
  ['too many requests', ['{"error":{}}'], { status: 429, contentType: 'application/json' }, 'rate-limited'],
  ['a bad request', ['{"error":{}}'], { status: 400, contentType: 'application/json' }, 'client-error'],
  ['a server fault', ['oops'], { status: 503, contentType: 'text/plain' }, 'server-error'],
  ['something that is no JSON', ['data: {nonsense\n\n'], {}, 'malformed'],
  ['an answer without content', [finish + done], {}, 'empty'],
] as const)('%s has its own class', (_title, parts, changes, outcome) => {
  const record = makeRecord(planned, exchange(parts, changes));
  expect(record.outcome).toBe(outcome);
  expect(record.error).toEqual(expect.any(String));
});

test('an answer that is not streamed has no first token, not one at 0', () => {
  const body = JSON.stringify({
    choices: [{ message: { content: 'all' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: 5 },
  });
  const record = makeRecord(
    { ...planned, streamed: false },
    exchange([body], { contentType: 'application/json' }),
  );
  expect(record).toMatchObject({ outcome: 'ok', firstToken: null, last: null, gaps: [], text: 'all' });
  expect(record.output.tokens).toBe(5);
});

import { expect, test } from 'vitest';
import { chatEvents } from './chat-stream.ts';
import type { ChatEvent } from './chat-stream.ts';
import { grow, history, newTurn, speedOf } from './conversation.ts';
import type { Turn } from './conversation.ts';

function answered(...events: (ChatEvent & { at: number })[]): Turn {
  return events.reduce((turn, { at, ...event }) => grow(turn, event, at), newTurn('assistant', '', 'm', 0));
}

test('the rate is counted between the first and the last token, by the count of the server', () => {
  const turn = answered(
    { type: 'text', text: 'Hel', at: 500 },
    { type: 'text', text: 'lo', at: 1500 },
    { type: 'usage', prompt: 7, output: 11, at: 1510 },
  );
  expect(turn.text).toBe('Hello');
  expect(speedOf(turn.timing)).toEqual({ ttftMs: 500, perSecond: 10, unit: 'token', amount: 11 });
});

test('without a count by the server the rate is of chunks, and says so', () => {
  const turn = answered({ type: 'text', text: 'a', at: 100 }, { type: 'text', text: 'b', at: 600 });
  expect(speedOf(turn.timing)).toEqual({ ttftMs: 100, perSecond: 2, unit: 'chunk', amount: 2 });
});

test('one token has no rate, and no token has no speed', () => {
  expect(speedOf(answered({ type: 'text', text: 'a', at: 100 }).timing)?.perSecond).toBeNull();
  expect(speedOf(answered().timing)).toBeNull();
});

test('reasoning is kept apart from the answer, and counts as a first token', () => {
  const turn = answered({ type: 'reasoning', text: 'hmm', at: 50 }, { type: 'text', text: 'Yes', at: 90 });
  expect([turn.reasoning, turn.text, turn.timing.first]).toEqual(['hmm', 'Yes', 50]);
});

test('a failed answer and its question are not told again', () => {
  const turns = [
    newTurn('user', 'one', 'm', 0),
    { ...newTurn('assistant', 'first', 'm', 0), state: 'done' as const },
    newTurn('user', 'two', 'm', 0),
    { ...newTurn('assistant', 'half', 'm', 0), state: 'failed' as const },
    newTurn('user', 'three', 'm', 0),
  ];
  expect(history(turns).map(({ content }) => content)).toEqual(['one', 'first', 'three']);
});

test('a chunk is read with whatever it lacks', () => {
  expect(chatEvents('{"choices":[{"delta":{"role":"assistant","content":null}}]}')).toEqual([]);
  expect(chatEvents('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":0}}')).toEqual([
    { type: 'usage', prompt: 3, output: 0 },
  ]);
  expect(chatEvents('{"choices":[{"delta":{"content":"x"},"finish_reason":"length"}]}')).toEqual([
    { type: 'text', text: 'x' },
    { type: 'finish', reason: 'length' },
  ]);
});

test('an error in the middle of a stream is thrown in its own words', () => {
  expect(() => chatEvents('{"error":{"message":"the engine ended","code":"upstream_gone"}}')).toThrow(
    'the engine ended',
  );
});

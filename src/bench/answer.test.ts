import { expect, test } from 'vitest';
import type { Exchange } from '../io/timed-request.ts';
import { seededRandom } from '../stats/random.ts';
import { readAnswer } from './answer.ts';

/** A stream as it was read: events cut at random places, each read 100 µs after the one before. */
function exchange(events: readonly string[], random = seededRandom(3)): Exchange {
  const bytes = Buffer.from(events.join(''));
  const ends: number[] = [];
  for (let end = 0; end < bytes.length;)
    ends.push((end = Math.min(bytes.length, end + 1 + random.below(90))));
  return {
    started: 0,
    connected: 0,
    sent: 0,
    headers: 0,
    body: { bytes, at: ends.map((_, i) => 1000 + 100 * i), ends },
    done: 1,
    status: 200,
    contentType: 'text/event-stream',
    fault: null,
  };
}

/** Texts that try to look like the end of their string, or like another field. */
const texts = [
  'a',
  '"',
  '\\',
  '\\"',
  '\n',
  'wörd 🦊',
  '","content":"',
  '"},"finish_reason":"stop"',
  ' ',
  '}]}',
  '',
];

function drawn(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => texts[random.below(texts.length)] as string);
}

/** `unlike`: no two events have the same bytes around their text, so that each must be parsed in full. */
function eventsOf(
  words: readonly string[],
  options: { unlike: boolean; field: string; end: string },
): string[] {
  return words.map((word, i) => {
    const choice = options.field === 'text' ? { text: word } : { delta: { [options.field]: word } };
    const envelope = {
      id: options.unlike ? `x${i}` : 'x',
      choices: [{ index: 0, ...choice, finish_reason: null }],
    };
    return `data: ${JSON.stringify(envelope)}${options.end}`;
  });
}

test.each(['content', 'text', 'reasoning_content', 'reasoning'])(
  'events that differ in their %s alone are read as if each were parsed in full',
  (field) => {
    for (let seed = 0; seed < 40; seed += 1) {
      const words = drawn(30, seed);
      const end = seed % 2 === 0 ? '\n\n' : '\r\n\r\n';
      const closing = [`data: {"choices":[],"usage":{"completion_tokens":30}}${end}`, `data: [DONE]${end}`];
      const alike = readAnswer(
        exchange([...eventsOf(words, { unlike: false, field, end }), ...closing]),
        true,
      );
      const unlike = readAnswer(
        exchange([...eventsOf(words, { unlike: true, field, end }), ...closing]),
        true,
      );
      expect(alike.text).toBe(field.startsWith('reasoning') ? '' : words.join(''));
      expect(alike.tokenTimes).toHaveLength(words.filter((word) => word !== '').length);
      expect({ ...alike, id: null, tokenTimes: null, firstContent: null }).toEqual({
        ...unlike,
        id: null,
        tokenTimes: null,
        firstContent: null,
      });
    }
  },
);

test('an event with another envelope in the midst of like ones is read for what it says', () => {
  const like = eventsOf(['a', 'b'], { unlike: false, field: 'content', end: '\n\n' });
  const finish =
    'data: {"id":"x","choices":[{"index":0,"delta":{"content":"c"},"finish_reason":"stop"}]}\n\n';
  const fault = 'data: {"error":{"message":"boom"}}\n\n';
  const answer = readAnswer(exchange([...like, finish, ...like, fault]), true);
  expect(answer).toMatchObject({
    text: 'abcab',
    finish: 'stop',
    complete: true,
    fault: { kind: 'stream-error' },
  });
});

test('each event has the time of the read that completed its data', () => {
  const events = eventsOf(['a', 'b', 'c'], { unlike: false, field: 'content', end: '\n\n' });
  const whole = exchange(events);
  const { at, ends } = whole.body;
  let end = -1;
  const times = events.map((event) => {
    end += event.length;
    // The data is complete with the first of the two line ends.
    return at[ends.findIndex((read) => read > end - 1)];
  });
  expect(readAnswer(whole, false).tokenTimes).toEqual(times);
});

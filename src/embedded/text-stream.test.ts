import { expect, test } from 'vitest';
import { createTextStream } from './text-stream.ts';

const utf8 = new TextEncoder();

test('a character whose bytes are split over tokens comes out once it is whole', () => {
  const stream = createTextStream([]);
  const [a, b, c, d] = utf8.encode('😀');
  const parts = [[a], [b, c], [d]].map((bytes) => stream.push(Uint8Array.from(bytes as number[])).text);
  expect(parts).toEqual(['', '', '😀']);
});

test('half a character at the end is dropped', () => {
  const stream = createTextStream([]);
  expect(stream.push(utf8.encode('né').subarray(0, 2)).text + stream.flush()).toBe('n');
});

test('text that may begin a stop string is held back, and sent when it turns out not to', () => {
  const stream = createTextStream(['END', '</s>']);
  expect(stream.push(utf8.encode('the E'))).toEqual({ text: 'the ', stopped: false });
  expect(stream.push(utf8.encode('N'))).toEqual({ text: '', stopped: false });
  expect(stream.push(utf8.encode('GINE <'))).toEqual({ text: 'ENGINE ', stopped: false });
  expect(stream.flush()).toBe('<');
});

test('the text ends in front of the earliest stop string', () => {
  const stream = createTextStream(['two', 'one']);
  expect(stream.push(utf8.encode('zero one two'))).toEqual({ text: 'zero ', stopped: true });
  expect(stream.flush()).toBe('');
  expect(stream.met()).toBe('one');
});

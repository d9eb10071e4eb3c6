import { expect, test } from 'vitest';
import { containerLines } from './docker-frames.ts';

function frame(stream: number, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const framed = Buffer.concat([
  frame(1, 'one\nzw'),
  frame(2, 'error: ä'),
  frame(1, 'ei\r\n\n'),
  frame(2, 'ö\nlast'),
]);

test.each([1, 3, 7, 1000])(
  'lines of both streams are whole, however the network cuts them: %i bytes',
  async (size) => {
    const lines = await linesOf(containerLines(inPieces(framed, size), false));
    expect(lines).toEqual(['one', 'zwei', '', 'error: äö', 'last']);
  },
);

test('letters that a frame cuts in two are whole again', async () => {
  const letter = Buffer.from('ä');
  const cut = [letter.subarray(0, 1), letter.subarray(1)].map((part) => {
    const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, part.length]);
    return Buffer.concat([head, part]);
  });
  expect(await linesOf(containerLines(inPieces(Buffer.concat(cut), 5), false))).toEqual(['ä']);
});

test('with a terminal the output has no frames', async () => {
  const bytes = Buffer.from('\u0001 plain\r\nä');
  expect(await linesOf(containerLines(inPieces(bytes, 2), true))).toEqual(['\u0001 plain', 'ä']);
});

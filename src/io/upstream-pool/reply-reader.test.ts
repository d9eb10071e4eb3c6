import { expect, test } from 'vitest';
import { ChunkedWalker, MalformedReply } from './chunked.ts';
import { parseHead } from './head.ts';
import { ReplyReader } from './reply-reader.ts';
import type { UpstreamSink } from './types.ts';

/** Reads `wire` in pieces of `size` bytes; tells what the sink heard. */
function read(wire: string, size: number, method = 'GET') {
  const heard = { status: 0, payload: '', wholeRaw: '', ends: 0, reader: null as ReplyReader | null };
  const sink: UpstreamSink = {
    onHead: (head) => (heard.status = head.status),
    onBody: (part) => {
      for (let i = 0; i < part.spanCount; i += 2)
        heard.payload += part.raw.toString('latin1', part.spans[i], part.spans[i + 1]);
      if (part.whole) heard.wholeRaw += part.raw.toString('latin1');
    },
    onEnd: () => (heard.ends += 1),
    onFail: () => {},
  };
  const reader = new ReplyReader(sink, method);
  heard.reader = reader;
  const bytes = Buffer.from(wire, 'latin1');
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size), () => true);
  return heard;
}

const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

test('chunks are walked alike whatever the size of the reads', () => {
  const wire = `${head}5;ext="a"\r\nhello\r\n00B\r\n world\r\n\r\n0\r\n0\r\nTrailer: x\r\n\r\n`;
  for (let size = 1; size <= wire.length; size += 1)
    expect(read(wire, size)).toMatchObject({ status: 200, payload: 'hello world\r\n\r\n0', ends: 1 });
});

test('reads of whole chunks are told apart from those that are cut', () => {
  const body = '5\r\nhello\r\n0\r\n\r\n';
  expect(read(head + body, 1000).wholeRaw).toBe(body);
  expect(read(head + body, 3).wholeRaw).toBe('');
});

test.each(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Server: x'])(
  'a reply to HEAD ends with its head: %s',
  (line) => {
    const heard = read(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`, 7, 'HEAD');
    expect(heard).toMatchObject({ status: 200, payload: '', ends: 1 });
    expect(heard.reader?.surplus).toBe(false);
  },
);

test('bytes after the end are seen, so that the connection is not used again', () => {
  expect(read(`${head}0\r\n\r\nHTTP/1.1 200`, 1000).reader?.surplus).toBe(true);
  expect(read('HTTP/1.1 204 No Content\r\n\r\nx', 1000).reader?.surplus).toBe(true);
  expect(read(`${head}0\r\n\r\n`, 1000).reader?.surplus).toBe(false);
});

test.each([
  '',
  'g\r\n',
  '\r\n',
  '-1\r\n',
  '5\rx',
  '1\n',
  '1\r\nab',
  '1\r\na\rx',
  // Each of these would lie whole in the read.
  '1xxa\r\n',
  '1\rxa\r\n',
  '1x\na\r\n',
  '1\r\nax\n',
  '1\r\na\rx',
  '0000001\r\naxx',
  '1;a\nb\r\n',
  '0\r\n\n',
  '0\r\n\rx',
  '0x5\r\n',
  'f'.repeat(13),
])('framing %j is refused', (framing) => {
  const walker = new ChunkedWalker();
  const bytes = Buffer.from(framing === '' ? ' ' : framing);
  expect(() => walker.walk(bytes, 0)).toThrow(MalformedReply);
});

test('a head says how its body ends and whether the connection lives on', () => {
  expect(parseHead('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=5, max=100')).toMatchObject({
    framing: 'length',
    length: 5,
    keepAlive: true,
    keepMs: 5000,
    maxRequests: 100,
  });
  expect(parseHead('HTTP/1.1 200 OK\r\nConnection: Close')).toMatchObject({
    framing: 'close',
    keepAlive: false,
  });
  expect(parseHead('HTTP/1.0 200 OK\r\nContent-Length: 0')).toMatchObject({ keepAlive: false });
  expect(parseHead('HTTP/1.1 204 No Content')).toMatchObject({ framing: 'none' });
  expect(parseHead('HTTP/1.1 200\r\nContent-Type: Text/Event-Stream; charset=utf-8')).toMatchObject({
    eventStream: true,
  });
});

test.each([
  'HTTP/2 200 OK',
  'HTTP/1.1 99 X',
  'HTTP/1.1 200 OK\r\nX : y',
  'HTTP/1.1 200 OK\r\nX: y\r\n folded',
  'HTTP/1.1 200 OK\r\nX: a\u0000b',
  'HTTP/1.1 200 OK\r\nX: a\nY: b',
  'HTTP/1.1 200 OK\r\nContent-Length: +5',
  'HTTP/1.1 200 OK\r\nContent-Length: 5, 5',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5',
])('the head %j is refused', (text) => {
  expect(() => parseHead(text)).toThrow(MalformedReply);
});

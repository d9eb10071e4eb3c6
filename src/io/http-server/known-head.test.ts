import { expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import type { Random } from '../../stats/random.ts';
import { MalformedRequest, RequestParser } from './request-parser.ts';
import type { RequestHead } from './request-head.ts';

/** What one read told: heads and bodies, how much was taken, and what was wrong. */
interface Heard {
  readonly told: unknown[];
  used: number;
  underWay: boolean;
  fault: string | null;
  reused: number;
}

/** A parser that has read `before`, each in one read, reads `bytes` request by request. */
function read(before: readonly string[], bytes: Buffer): Heard {
  const heard: Heard = { told: [], used: 0, underWay: false, fault: null, reused: 0 };
  const parser = new RequestParser({
    onHead: ({ likeness, ...head }: RequestHead) => {
      if (likeness) heard.reused += 1;
      heard.told.push(head);
    },
    onBody: (part) => void heard.told.push(part.toString('latin1')),
  });
  for (const text of before) parser.push(Buffer.from(text, 'latin1'));
  heard.told.length = 0;
  heard.reused = 0;
  try {
    while (heard.used < bytes.length) heard.used += parser.push(bytes.subarray(heard.used));
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error;
    heard.fault = error.reason;
  }
  heard.underWay = parser.underWay;
  parser.free();
  return heard;
}

const requests = [
  'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\nContent-Length: 7\r\n\r\n{"a":1}',
  'POST /x HTTP/1.1\r\nContent-Length: 13\r\nHost: a\r\nX-Empty:\r\nAccept: */*\r\n\r\n{"b":"cdefg"}',
  'POST /y HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\ncontent-length:3 \r\n\r\nabc',
];
const spices = [
  '0',
  '1',
  '9',
  '00',
  '-1',
  '+3',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  ':',
  'Content-Length: 3\r\n',
  'Connection: close\r\n',
];
const more = [
  'Transfer-Encoding: chunked\r\n',
  'Expect: 100-continue\r\n',
  'Host: b\r\n',
  '\0',
  'k',
  ';',
  ',',
];

test('a head that is known is read as if it were new, whatever was done to it', () => {
  const random = seededRandom(7);
  let reused = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const first = requests[random.below(requests.length)] as string;
    const bytes = Buffer.from(hurt(first, random), 'latin1');
    const after = read([first, first], bytes);
    const fresh = read([], bytes);
    reused += after.reused;
    expect({ ...after, reused: 0, case: bytes.toString('latin1') }).toEqual({
      ...fresh,
      case: bytes.toString('latin1'),
    });
  }
  // Most mutations are no longer the same head; were none, nothing would have been compared.
  expect(reused).toBeGreaterThan(1000);
});

function hurt(text: string, random: Random): string {
  const spice = [...spices, ...more];
  let hurting = random.below(3) === 0 ? text.replace(/(Length: *)\d+/i, `$1${random.below(15)}`) : text;
  for (let i = random.below(3); i > 0; i -= 1) {
    const at = random.below(hurting.length + 1);
    hurting =
      hurting.slice(0, at) + (spice[random.below(spice.length)] ?? '') + hurting.slice(at + random.below(2));
  }
  return hurting;
}

test('requests with the same head and other lengths are known, and told apart', () => {
  const heads = [3, 3, 12, 0].map(
    (length) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`,
  );
  const { told, reused } = read([heads[0] as string], Buffer.from(heads.join('')));
  expect(reused).toBe(4);
  expect(
    told.map((one) => (typeof one === 'string' ? one.length : (one as RequestHead).rawHeaders[3])),
  ).toEqual(['3', 3, '3', 3, '12', 12, '0']);
});

test.each([
  'Connection: close\r\nContent-Length: 1',
  'Expect: 100-continue\r\nContent-Length: 1',
  'Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1',
])('a head that says more about its connection is parsed each time: %j', (lines) => {
  const text = `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\nx`;
  expect(read([], Buffer.from(text + text)).reused).toBe(0);
});

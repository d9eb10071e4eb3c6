import { expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import type { Random } from '../../stats/random.ts';
import { MalformedReply } from './chunked.ts';
import { KnownReplies } from './known-replies.ts';
import { ReplyReader } from './reply-reader.ts';

interface Heard {
  readonly told: unknown[];
  done: boolean;
  surplus: boolean;
  fault: string | null;
}

/** What a reader tells of one reply that comes in one read. */
function read(wire: Buffer, known: KnownReplies | null, onLikeness: () => void = () => {}): Heard {
  const heard: Heard = { told: [], done: false, surplus: false, fault: null };
  const reader = new ReplyReader(
    {
      onHead: ({ likeness, ...head }) => {
        if (likeness) onLikeness();
        heard.told.push(head);
      },
      onBody: (part) =>
        void heard.told.push(part.raw.toString('latin1'), part.spans.slice(0, part.spanCount)),
      onEnd: () => void heard.told.push('end'),
      onFail: () => {},
    },
    'POST',
    known,
  );
  try {
    reader.push(wire, () => true);
  } catch (error) {
    if (!(error instanceof MalformedReply)) throw error;
    heard.fault = error.message;
  }
  heard.done = reader.done;
  heard.surplus = reader.surplus;
  return heard;
}

const replies = [
  'HTTP/1.1 200 OK\r\ndate: x\r\ncontent-length: 7\r\ncontent-type: application/json\r\n\r\n{"a":1}',
  'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\nKeep-Alive: timeout=5, max=100\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX: y\r\n\r\nto the end',
  'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 429 Too Many Requests\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
];
const spices = ['0', '7', '00', '-1', ' ', '\t', '\r', '\n', '\r\n', ':', 'x', '\0'];
const lines = [
  'Content-Length: 3\r\n',
  'Connection: close\r\n',
  'Transfer-Encoding: chunked\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
];

test('a head that is known is read as if it were new, whatever was done to it', () => {
  const random = seededRandom(11);
  let reused = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const known = new KnownReplies();
    for (let i = random.below(3); i >= 0; i -= 1) read(Buffer.from(pick(replies, random), 'latin1'), known);
    const text = hurt(pick(replies, random), random);
    const wire = Buffer.from(text, 'latin1');
    expect({ ...read(wire, known, () => (reused += 1)), text }).toEqual({ ...read(wire, null), text });
  }
  expect(reused).toBeGreaterThan(1000);
});

function pick(from: readonly string[], random: Random): string {
  return from[random.below(from.length)] as string;
}

function hurt(text: string, random: Random): string {
  let hurting = random.below(3) === 0 ? text.replace(/(length: )\d+/i, `$1${random.below(15)}`) : text;
  for (let i = random.below(3); i > 0; i -= 1) {
    const at = random.below(hurting.length + 1);
    hurting =
      hurting.slice(0, at) + pick([...spices, ...lines], random) + hurting.slice(at + random.below(2));
  }
  return hurting;
}

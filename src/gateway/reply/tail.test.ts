import { expect, test } from 'vitest';
import type { BodyRead } from '../../io/upstream-pool/types.ts';
import { seededRandom } from '../../stats/random.ts';
import { EventCounter } from './event-counter.ts';
import { Tail } from './tail.ts';

const { below } = seededRandom(3);

/** Bytes without framing, in one piece. */
function readOf(raw: Buffer): BodyRead {
  return { raw, whole: false, last: false, spans: [0, raw.length], spanCount: 2 };
}

test('the end of a reply is kept whole and in order, however it was cut and however long it was', () => {
  for (let round = 0; round < 200; round += 1) {
    const tail = new Tail();
    let all = '';
    const most = [3, 60, 700, 5000][below(4)] as number;
    for (let i = below(400); i > 0; i -= 1) {
      const text = String(i).padEnd(1 + below(most), '.');
      all += text;
      tail.push(readOf(Buffer.from(text)));
    }
    const kept = tail.text().split('\n').at(-1) ?? '';
    expect(all.endsWith(kept)).toBe(true);
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(2048, all.length));
    // At the most twice what is needed and one read more each time, of those that are kept as they are.
    expect(kept.length).toBeLessThan(4 * 2048);
  }
});

test('events are counted alike whether each comes in a read of its own or is cut', () => {
  const events = [
    'data: a\n\n',
    'data: a\r\n\r\n',
    ': ping\n\n',
    '\n',
    'event: x\ndata: b\n\n',
    'data:\n\n',
    'id\n\n',
  ];
  for (let round = 0; round < 500; round += 1) {
    const texts = Array.from({ length: 1 + below(6) }, () => events[below(events.length)] as string);
    const whole = new EventCounter();
    for (const text of texts) whole.push(readOf(Buffer.from(text)));
    const cut = new EventCounter();
    for (const byte of Buffer.from(texts.join(''))) cut.push(readOf(Buffer.from([byte])));
    const filled = texts.filter((text) => text !== '\n' && !text.startsWith(':'));
    expect([texts, whole.count, cut.count]).toEqual([texts, filled.length, filled.length]);
  }
});

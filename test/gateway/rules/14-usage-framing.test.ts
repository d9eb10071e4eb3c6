import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/stats/random.ts';
import { doneEvent } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import { chat, dial, post, start, until } from '../harness.ts';
import type { RunningGateway, Wire } from '../harness.ts';

/*
 * Verbatim forwarding beside the usage event that the gateway asks for: a stream that it is taken out of is framed anew, with at most its
 * last event held back until that is whole; every other one passes byte for byte, write for write.
 */

const path = '/v1/chat/completions';
const end = '0\r\n\r\n';

/** Characters of several bytes, both ends of line, an event of several lines, and lists that are empty without being usage. */
const events = [
  event('Hä'),
  event('€ 😀').replaceAll('\n', '\r\n'),
  `id: 7\n${event('"choices":[]')}`,
  event('[]'),
  'data: {"choices":[],"usage":{"completion_tokens":3}}\n\n',
  doneEvent,
];
const [, , , , usageEvent = ''] = events;

function event(content: string): string {
  return `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
}

const payload = Buffer.from(events.join(''));
const kept = Buffer.from(events.filter((one) => one !== usageEvent).join(''));

/** What a client may have once the engine has sent the first `length` bytes: whole events, but for that of usage. */
function wholeOf(length: number): Buffer {
  let at = 0;
  const whole: string[] = [];
  for (const one of events) {
    at += Buffer.byteLength(one);
    if (at > length) break;
    if (one !== usageEvent) whole.push(one);
  }
  return Buffer.from(whole.join(''));
}

/** A client that keeps the bytes as they come: a character may lie in two reads. */
interface Client {
  readonly wire: Wire;
  readonly reads: readonly Buffer[];
  /** What came behind the head. */
  readonly body: () => Buffer;
  /** The whole reply is there. */
  readonly whole: () => boolean;
}

async function ask(gateway: RunningGateway, to = path, more: object = {}): Promise<Client> {
  const wire = await dial(gateway.port, post(to, chat({ stream: true, ...more })));
  const reads: Buffer[] = [];
  wire.socket.on('data', (bytes: Buffer) => reads.push(bytes));
  function body(): Buffer {
    const all = Buffer.concat(reads);
    const at = all.indexOf('\r\n\r\n');
    return at < 0 ? Buffer.alloc(0) : all.subarray(at + 4);
  }
  return { wire, reads, body, whole: () => body().subarray(-end.length).equals(Buffer.from(end)) };
}

/** Payload of the whole chunks that have come. */
function unframed(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) throw new Error(`This is not framed: ${bytes.toString()}`);
    if (size === 0 || bytes.length < line + 2 + size + 2) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

test('rule 14: wherever the engine stops within a stream, the client has all whole events, and not one byte of the next', async () => {
  const turns: Turn[] = [];
  const { gateway } = await start((turn) => void turns.push(turn));
  const splits = Array.from({ length: payload.length - 1 }, (_, i) => i + 1);
  async function split(at: number): Promise<void> {
    const client = await ask(gateway);
    await until('the engine has it', () => turns.length > 0);
    const turn = turns.shift() as Turn;
    turn.stream();
    turn.chunk(payload.subarray(0, at));
    const first = wholeOf(at);
    await until('the whole events are there', () => unframed(client.body()).length >= first.length);
    expect([at, unframed(client.body())]).toEqual([at, first]);
    turn.chunk(payload.subarray(at));
    turn.endChunks();
    await until('it is whole', client.whole);
    client.wire.socket.destroy();
    expect([at, unframed(client.body())]).toEqual([at, kept]);
  }
  for (const at of splits) await split(at);
}, 120_000);

test('rule 14: however a stream is cut into chunks and writes, the usage event is all that is missing of it', async () => {
  const random = seededRandom(20_261_128);
  const { gateway } = await start(async (turn) => {
    turn.stream();
    const framed = Buffer.concat([
      ...pieces(payload, () => 1 + random.below(90)).map(chunk),
      Buffer.from(end),
    ]);
    for (const piece of pieces(framed, () => 1 + random.below(60))) {
      turn.write(piece);
      if (random.next() < 0.7) await new Promise((resolve) => setImmediate(resolve));
    }
    turn.done();
  });
  for (let round = 0; round < 150; round += 1) {
    const client = await ask(gateway);
    await until('it is whole', client.whole);
    client.wire.socket.destroy();
    expect([round, unframed(client.body())]).toEqual([round, kept]);
  }
}, 120_000);

test.each([
  ['asked for its usage', path, { stream_options: { include_usage: true } }],
  ['is no chat', '/v1/messages', { max_tokens: 5 }],
  ['is told of by events of its own', '/v1/responses', {}],
])(
  'rule 14: a stream that %s passes byte for byte, each write of the engine as one',
  async (_, to, more) => {
    const random = seededRandom(20_261_129);
    const turns: Turn[] = [];
    const { gateway } = await start((turn) => void turns.push(turn));
    for (let round = 0; round < 20; round += 1) {
      const client = await ask(gateway, to, more);
      await until('the engine has it', () => turns.length > 0);
      const turn = turns.shift() as Turn;
      turn.stream();
      await until('the head is there', () => client.wire.text().includes('\r\n\r\n'));
      const writes = writesOf(random);
      let sent = 0;
      for (const write of writes) {
        turn.write(write);
        sent += write.length;
        await until('it is through', () => client.body().length >= sent);
      }
      turn.write(end);
      turn.done();
      await until('it is whole', client.whole);
      client.wire.socket.destroy();
      const expected = [...writes, Buffer.from(end)].map(String);
      expect([round, client.reads.slice(-expected.length).map(String)]).toEqual([round, expected]);
    }
  },
  120_000,
);

/** Events in writes of one or more, framed as no gateway would frame them: it must not be done anew. Each ends with its last event, as engines' do. */
function writesOf(random: ReturnType<typeof seededRandom>): Buffer[] {
  const writes: Buffer[] = [];
  for (let at = 0; at < events.length;) {
    const count = 1 + random.below(3);
    const bytes = Buffer.from(events.slice(at, at + count).join(''));
    const last = bytes.subarray(-8);
    const others = pieces(bytes.subarray(0, -8), () => 1 + random.below(60));
    writes.push(Buffer.concat([...others, last].map(oddChunk)));
    at += count;
  }
  return writes;
}

function pieces(bytes: Buffer, size: () => number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + size());
    parts.push(bytes.subarray(at, next));
    at = next;
  }
  return parts;
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

function oddChunk(bytes: Buffer): Buffer {
  const size = bytes.length.toString(16).toUpperCase().padStart(4, '0');
  return Buffer.concat([Buffer.from(`${size}\r\n`), bytes, Buffer.from('\r\n')]);
}

test('rule 14: a usage event behind the last events of a stream, in one read with them, is taken out', async () => {
  const content = ['a', 'b', 'c'].map((text) => event(text)).join('');
  const turns: Turn[] = [];
  const { gateway } = await start((turn) => {
    turns.push(turn);
    turn.stream();
    turn.chunk(content);
  });
  const client = await ask(gateway);
  await until('the first have come', () => client.body().toString().includes('"c"'));
  turns[0]?.chunk(content + usageEvent + doneEvent);
  turns[0]?.endChunks();
  await until('it is whole', client.whole);
  expect(client.body().toString()).not.toContain('completion_tokens');
  expect(client.body().toString().split('"c"')).toHaveLength(3);
});

import { chatEvent, chunkOf, doneEvent, wellBehaved, wholeStream } from './fake-upstream.ts';
import type { Script, Turn } from './fake-upstream.ts';

/** Events whose text has characters of two, three and four bytes. */
export const wideStream = [...['Hä', '€', '😀', '!'].map(chatEvent), doneEvent].join('');

const json = 'Content-Type: application/json\r\n';
const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Bytes in pieces of that many, each in a write of its own. */
async function drip(turn: Turn, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    turn.write(bytes.subarray(at, at + size));
    await new Promise((resolve) => setImmediate(resolve));
  }
  turn.done();
}

function later(turn: Turn, ms: number, then: () => void): void {
  const timer = setTimeout(then, ms);
  void turn.closed.then(() => clearTimeout(timer));
}

function refusal(status: number, headers = ''): Script {
  return (turn) =>
    turn.json(status, { error: { message: 'not now', type: 'server_error', code: null } }, headers);
}

function begin(turn: Turn): void {
  turn.stream();
  turn.chunk(chatEvent('begun'));
}

const wide = Buffer.concat([Buffer.from(streamHead), chunkOf(wideStream), Buffer.from('0\r\n\r\n')]);

/**
 * What may go wrong at an engine, by name; a request names its own in the header x-fault. All answer as a stream does,
 * but for those that never come to an answer, and "plain" ones.
 */
export const faults: Readonly<Record<string, Script>> = {
  none: wellBehaved,
  delay: (turn) => later(turn, 15, () => wellBehaved(turn)),
  'endless prefill': () => {},
  'silent midway': begin,
  'dies before the head': (turn) => turn.reset(),
  'closes before the head': (turn) => turn.close(),
  'dies within the head': (turn) => {
    turn.write('HTTP/1.1 200 OK\r\nContent-Ty');
    turn.reset();
  },
  'dies between events': (turn) => {
    begin(turn);
    turn.close();
  },
  'dies within an event': (turn) => {
    begin(turn);
    turn.write(chunkOf(chatEvent('never whole')).subarray(0, 40));
    later(turn, 3, turn.reset);
  },
  'dies within a character': (turn) => {
    turn.stream();
    turn.write(chunkOf(chatEvent('😀')).subarray(0, Buffer.from(chatEvent('😀')).indexOf(0xf0) + 5));
    later(turn, 3, turn.close);
  },
  'ends without the last chunk': (turn) => {
    turn.stream();
    turn.chunk(wholeStream.replace(doneEvent, ''));
    turn.close();
  },
  'broken framing': (turn) => {
    begin(turn);
    turn.write('zz\r\n');
  },
  'one byte at a time': (turn) => drip(turn, wide, 1),
  'split characters': (turn) => drip(turn, wide, 61),
  'split chunk sizes': (turn) =>
    drip(
      turn,
      Buffer.concat([
        Buffer.from(streamHead),
        ...Array.from(wideStream, (character) => chunkOf(character)),
        Buffer.from('0\r\n\r\n'),
      ]),
      7,
    ),
  garbage: (turn) => turn.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  'both framings': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'),
  'closes a kept connection': (turn) => {
    turn.stream();
    turn.chunk(wholeStream);
    turn.write('0\r\n\r\n');
    turn.close();
  },
  'keeps for a second': (turn) => turn.json(200, { plain: true }, 'Keep-Alive: timeout=1\r\n'),
  'plain that breaks off': (turn) => {
    turn.write(`HTTP/1.1 200 OK\r\n${json}Content-Length: 100\r\n\r\n{"half":`);
    later(turn, 3, turn.reset);
  },
  '429': refusal(429),
  '429 with Retry-After': refusal(429, 'Retry-After: 7\r\n'),
  '500': refusal(500),
  '503': refusal(503),
  '503 with Retry-After': refusal(503, 'Retry-After: 7\r\n'),
};

/**
 * Plays the fault that the request names, and closes each connection after a hundred requests, as llama.cpp's server does.
 * A request with x-once finds the fault at the first of the engines that share `met`, and none at the next.
 */
export function faultyEngine(met: Set<string>): Script {
  const served = new Map<number, number>();
  return (turn) => {
    const { connection, headers } = turn.request;
    const count = (served.get(connection) ?? 0) + 1;
    served.set(connection, count);
    if (count > 100) {
      turn.reset();
      return undefined;
    }
    const once = headers['x-once'];
    if (once !== undefined && met.has(once)) return wellBehaved(turn);
    if (once !== undefined) met.add(once);
    return (faults[headers['x-fault'] ?? 'none'] ?? wellBehaved)(turn);
  };
}

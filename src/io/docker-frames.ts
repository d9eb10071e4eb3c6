/** A program's output as the API of Docker sends it: pieces with 8 bytes in front, that name the stream and the length. */
const headBytes = 8;

/**
 * Lines of a container's output. Without a terminal the pieces of both streams are framed; with one they are plain. A line that is
 * still being written at the end counts as a line.
 */
export async function* containerLines(
  body: AsyncIterable<Uint8Array>,
  terminal: boolean,
): AsyncIterable<string> {
  const rests: Record<number, string> = {};
  for await (const { stream, text } of terminal ? plain(body) : unframe(body)) {
    const lines = ((rests[stream] ?? '') + text).split('\n');
    rests[stream] = lines.pop() ?? '';
    for (const line of lines) yield line.replace(/\r$/, '');
  }
  for (const rest of Object.values(rests)) if (rest !== '') yield rest.replace(/\r$/, '');
}

interface Piece {
  readonly stream: number;
  readonly text: string;
}

async function* plain(body: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  const decoder = new TextDecoder();
  for await (const chunk of body) yield { stream: 1, text: decoder.decode(chunk, { stream: true }) };
}

/** Frames are cut anywhere by the network, and letters anywhere by frames. */
async function* unframe(body: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  const decoders = [new TextDecoder(), new TextDecoder(), new TextDecoder()];
  let held = Buffer.alloc(0);
  for await (const chunk of body) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= headBytes) {
      const end = headBytes + held.readUInt32BE(4);
      if (held.length < end) break;
      const stream = held[0] === 2 ? 2 : 1;
      const text = decoders[stream]?.decode(held.subarray(headBytes, end), { stream: true }) ?? '';
      held = held.subarray(end);
      yield { stream, text };
    }
  }
}

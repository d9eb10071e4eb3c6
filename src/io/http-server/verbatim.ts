import http from 'node:http';
import { Writable } from 'node:stream';

/**
 * Makes Node write the body as it is given, although the head announces chunked framing: whoever writes brings the
 * framing along. Rests on `chunkedEncoding`, a field that Node neither documents nor promises; `verbatimWorks` must
 * have said yes in this process.
 */
export function setVerbatim(response: http.ServerResponse): void {
  (response as unknown as { chunkedEncoding: boolean }).chunkedEncoding = false;
}

let known: boolean | undefined;

/** Sends one reply into a buffer with `setVerbatim` and looks whether it came out byte for byte. Tried once. */
export function verbatimWorks(): boolean {
  known ??= selfTest();
  return known;
}

function selfTest(): boolean {
  const body = '5\r\nhello\r\n0\r\n\r\n';
  try {
    const written: Buffer[] = [];
    const sink = new Writable({
      write(part: Buffer, _encoding, done) {
        written.push(part);
        done();
      },
    });
    const request = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} };
    const response = new http.ServerResponse(request as unknown as http.IncomingMessage);
    response.assignSocket(sink as never);
    response.sendDate = false;
    response.writeHead(200, ['Transfer-Encoding', 'chunked']);
    setVerbatim(response);
    response.write(Buffer.from(body));
    response.end();
    sink.uncork();
    const text = Buffer.concat(written).toString('latin1');
    const [head, rest] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)];
    return head.startsWith('HTTP/1.1 200 ') && /transfer-encoding: chunked/i.test(head) && rest === body;
  } catch {
    return false;
  }
}

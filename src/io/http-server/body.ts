import type http from 'node:http';
import type { BodyOptions } from './types.ts';

/** The body is larger than the caller of `body` allows. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** `fits` or `take` said no. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
}

/** The client went, or broke the framing, before the body was whole. */
export class BodyBroken extends Error {
  override readonly name = 'BodyBroken';
}

/** How much of a refused body is read and dropped so that the client, still sending, sees the reply and no reset. */
const dropBytes = 512 * 1024 * 1024;
const dropMs = 15_000;

/** See `Inbound.body`. `proceed` tells a client that waits with Expect: 100-continue to send. */
export async function readBody(
  request: http.IncomingMessage,
  limitBytes: number,
  options: BodyOptions & { proceed: () => void },
): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limitBytes) throw refuse(request, new BodyTooLarge('Content-Length is over the limit.'));
  if (options.fits && !options.fits(announced)) throw refuse(request, noRoom());
  options.proceed();
  const parts = await collect(request, (size, total) => {
    if (total > limitBytes) return new BodyTooLarge('The body is over the limit.');
    return options.take && !options.take(size) ? noRoom() : null;
  });
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function noRoom(): BodyRefused {
  return new BodyRefused('There is no room for this body.');
}

/** All parts of the body; `check` is given each part's size and the sum, and its error refuses the body. */
function collect(
  request: http.IncomingMessage,
  check: (size: number, total: number) => Error | null,
): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let total = 0;
    let whole = false;
    function onData(part: Buffer): void {
      total += part.length;
      const fault = check(part.length, total);
      if (!fault) {
        parts.push(part);
        return;
      }
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      reject(refuse(request, fault));
    }
    function onEnd(): void {
      whole = true;
      resolve(parts);
    }
    function onClose(): void {
      if (!whole) reject(new BodyBroken('The client went before the body was whole.'));
    }
    if (request.destroyed && !request.readableEnded) onClose();
    else
      request
        .on('data', onData)
        .on('end', onEnd)
        .on('close', onClose)
        .on('error', () => {});
  });
}

/**
 * Goes on reading and dropping after a refusal. Closing at once would reset the connection, and the client would lose
 * the reply that explains it. What exceeds the bounds is no longer read; the connection then ends by half-close.
 */
function refuse(request: http.IncomingMessage, error: Error): Error {
  let dropped = 0;
  const socket = request.socket;
  function stop(): void {
    clearTimeout(timer);
    request.off('data', onData).off('end', onDone).off('close', onDone);
    request.pause();
    socket.end();
    setTimeout(() => socket.destroy(), 1000).unref();
  }
  function onDone(): void {
    clearTimeout(timer);
  }
  function onData(part: Buffer): void {
    dropped += part.length;
    if (dropped > dropBytes) stop();
  }
  const timer = setTimeout(stop, dropMs).unref();
  request
    .on('data', onData)
    .on('end', onDone)
    .on('close', onDone)
    .on('error', () => {});
  request.resume();
  return error;
}

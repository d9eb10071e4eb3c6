import net from 'node:net';
import { wholeStream } from './fake-upstream.ts';
import { wideStream } from './faults.ts';
import { chat, post } from './harness.ts';

/**
 * How a request ended, as its client sees it.
 * - `success`: whole, and byte for byte what the engine says.
 * - `refused`: an error status with its error object, and Retry-After where the status promises one.
 * - `in-band`: a stream that ended in an error event, without [DONE].
 * - `broken`: a plain reply that broke off before its end.
 * - `left`: the client went away itself.
 * - anything else is a lie, told as what was wrong.
 */
export type Outcome = 'success' | 'refused' | 'in-band' | 'broken' | 'left' | { readonly lie: string };

export interface Visit {
  readonly port: number;
  readonly fault: string;
  /** Goes away after that many milliseconds; null: stays. */
  readonly leaveAfterMs: number | null;
  /** Stops reading for that long once the reply has begun. */
  readonly pauseMs: number;
}

/** One request on a connection of its own, read to the very end of the connection. */
export async function visit({ port, fault, leaveAfterMs, pauseMs }: Visit): Promise<Outcome> {
  const { text, left } = await exchange(port, fault, { leaveAfterMs, pauseMs });
  if (left) return 'left';
  return judge(text);
}

function exchange(
  port: number,
  fault: string,
  { leaveAfterMs, pauseMs }: Pick<Visit, 'leaveAfterMs' | 'pauseMs'>,
): Promise<{ text: string; left: boolean }> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let left = false;
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    const timer =
      leaveAfterMs === null
        ? null
        : setTimeout(() => {
            left = true;
            socket.resetAndDestroy();
          }, leaveAfterMs);
    socket.once('data', () => {
      if (pauseMs === 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), pauseMs);
    });
    socket
      .on('data', (bytes) => parts.push(bytes))
      .on('error', () => {})
      .on('close', () => {
        if (timer) clearTimeout(timer);
        resolve({ text: Buffer.concat(parts).toString('utf8'), left });
      });
    socket.write(
      post('/v1/chat/completions', chat({ stream: true }), `Connection: close\r\nx-fault: ${fault}\r\n`),
    );
  });
}

function judge(text: string): Outcome {
  const split = text.indexOf('\r\n\r\n');
  if (split < 0) return { lie: `no reply: ${text.slice(0, 100)}` };
  const head = text.slice(0, split).toLowerCase();
  const status = Number(/^http\/1\.1 (\d+)/.exec(head)?.[1]);
  const body = bodyOf(head, text.slice(split + 4));
  if (status >= 400) return judgeRefusal(status, head, body);
  if (status !== 200) return { lie: `status ${status}` };
  return head.includes('text/event-stream') ? judgeStream(body) : judgePlain(body);
}

interface Body {
  readonly payload: string;
  /** Framed to its very end. */
  readonly whole: boolean;
}

function bodyOf(head: string, raw: string): Body {
  const length = /content-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return { payload: raw, whole: Buffer.byteLength(raw) === Number(length) };
  const bytes = Buffer.from(raw);
  let payload = Buffer.alloc(0);
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (size === 0) return { payload: payload.toString('utf8'), whole: true };
    if (Number.isNaN(size) || line + 2 + size > bytes.length)
      return { payload: payload.toString('utf8'), whole: false };
    payload = Buffer.concat([payload, bytes.subarray(line + 2, line + 2 + size)]);
    at = line + 2 + size + 2;
  }
}

function judgeRefusal(status: number, head: string, { payload, whole }: Body): Outcome {
  if (!whole) return { lie: `a ${status} that breaks off` };
  const message = errorMessage(payload);
  if (message === null) return { lie: `a ${status} without an error object: ${payload.slice(0, 100)}` };
  if (status === 503 && !/retry-after: [1-9]\d*/.test(head))
    return { lie: 'a 503 without a time to come back' };
  return 'refused';
}

function judgeStream({ payload, whole }: Body): Outcome {
  if (!whole) return { lie: `a stream that breaks off: ${payload.slice(-100)}` };
  if (payload === wholeStream || payload === wideStream) return 'success';
  if (payload.includes('[DONE]')) return { lie: `a stream that is not what was sent: ${payload}` };
  const events = payload.split('\n\n');
  if (events.pop() !== '') return { lie: `a stream that ends within an event: ${payload}` };
  const last = events.pop() ?? '';
  if (events.some((event) => !event.startsWith('data: {"id"') || !isJson(event.slice(6))))
    return { lie: `a stream with a broken event: ${payload}` };
  return errorMessage(last.replace(/^data: /, '')) === null
    ? { lie: `an end without a word: ${payload}` }
    : 'in-band';
}

function judgePlain({ payload, whole }: Body): Outcome {
  if (!whole) return 'broken';
  return payload === '{"plain":true}' ? 'success' : { lie: `another reply than was sent: ${payload}` };
}

function errorMessage(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message : null;
  } catch {
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

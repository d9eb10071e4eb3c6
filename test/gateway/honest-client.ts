import net from 'node:net';
import { wholeStream } from './fake-upstream.ts';
import { wideStream } from './faults.ts';
import { chat, post } from './harness.ts';

/**
 * How a request ended, as its client sees it, in words.
 * - `success`: whole, and byte for byte what the engine says.
 * - `502 upstream_failed`: an error status with its error object and its code; `429 queue_full, 3` with Retry-After: 3.
 * - `in-band upstream_failed`: a stream that ended in an error event, without [DONE].
 * - `broken`: a plain reply that broke off before its end.
 * - `left`: the client went away itself.
 * - `lie: …`: anything else, and what was wrong.
 */
export type Outcome = string;

export interface Visit {
  readonly port: number;
  readonly fault: string;
  /** Names the visit to the engines, of which one plays the fault, once; null: all of them, always. */
  readonly once: string | null;
  /** Goes away after that many milliseconds; null: stays. */
  readonly leaveAfterMs: number | null;
  /** Stops reading for that long once the reply has begun. */
  readonly pauseMs: number;
  /** The key that it shows, and says as the `user` of its body; absent: none. */
  readonly key?: string;
}

/** One request on a connection of its own, read to the very end of the connection. */
export async function visit(plan: Visit): Promise<Outcome> {
  const { text, left } = await exchange(plan);
  if (left) return 'left';
  return judge(text);
}

function exchange({
  port,
  fault,
  once,
  leaveAfterMs,
  pauseMs,
  key,
}: Visit): Promise<{ text: string; left: boolean }> {
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
    const shown = key === undefined ? '' : `Authorization: Bearer ${key}\r\n`;
    const headers = `Connection: close\r\n${shown}x-fault: ${fault}\r\n${once === null ? '' : `x-once: ${once}\r\n`}`;
    socket.write(
      post('/v1/chat/completions', chat({ stream: true, ...(key !== undefined && { user: key }) }), headers),
    );
  });
}

function judge(text: string): Outcome {
  const split = text.indexOf('\r\n\r\n');
  if (split < 0) return `lie: no reply: ${text.slice(0, 100)}`;
  const head = text.slice(0, split).toLowerCase();
  const status = Number(/^http\/1\.1 (\d+)/.exec(head)?.[1]);
  const body = bodyOf(head, text.slice(split + 4));
  if (status >= 400) return judgeRefusal(status, head, body);
  if (status !== 200) return `lie: status ${status}`;
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
  if (!whole) return `lie: a ${status} that breaks off`;
  const code = errorCode(payload);
  if (code === null) return `lie: a ${status} without an error object: ${payload.slice(0, 100)}`;
  const retryAfter = /^retry-after: (.*)$/m.exec(head)?.[1]?.trim();
  return `${status} ${code}${retryAfter === undefined ? '' : `, ${retryAfter}`}`;
}

function judgeStream({ payload, whole }: Body): Outcome {
  if (!whole) return `lie: a stream that breaks off: ${payload.slice(-100)}`;
  if (payload === wholeStream || payload === wideStream) return 'success';
  if (payload.includes('[DONE]')) return `lie: a stream that is not what was sent: ${payload}`;
  const events = payload.split('\n\n');
  if (events.pop() !== '') return `lie: a stream that ends within an event: ${payload}`;
  const last = events.pop() ?? '';
  if (events.some((event) => !event.startsWith('data: {"id"') || !isJson(event.slice(6))))
    return `lie: a stream with a broken event: ${payload}`;
  const code = errorCode(last.replace(/^data: /, ''));
  return code === null ? `lie: an end without a word: ${payload}` : `in-band ${code}`;
}

function judgePlain({ payload, whole }: Body): Outcome {
  if (!whole) return 'broken';
  return payload === '{"plain":true}' ? 'success' : `lie: another reply than was sent: ${payload}`;
}

/** "none" for an error whose code is null; null for what is no error object. */
function errorCode(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; code?: unknown } };
    if (typeof error?.message !== 'string') return null;
    return typeof error.code === 'string' ? error.code : 'none';
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

import { errorReplyEvent, streamError } from '../../domain/dialects.ts';
import type { Dialect } from '../../domain/endpoints.ts';
import type { HeadOptions, Reply } from '../../io/http-server/types.ts';
import { headerValues } from '../front/header-values.ts';
import { upstreamFailed } from './faults.ts';

/** An error body larger than this is not passed on; engines' own are far smaller. */
const maxErrorBytes = 64 * 1024;

export interface CommentOptions {
  readonly dialect: Dialect;
  readonly requestId: string;
  readonly everyMs: number;
  readonly after: (ms: number, task: () => void) => () => void;
  /** What the request waits for, as one line. */
  readonly tell: () => string;
}

/**
 * The reply to a stream whose client wants to hear that it still waits: until the engine answers, a comment of the event
 * stream goes out every `everyMs`, lest a proxy takes the silence for death. The first one commits the reply to status
 * 200, so that an error that follows becomes an event, and the head that follows is dropped.
 * States: waiting → commenting → answered, or waiting → answered.
 */
export class CommentedReply implements Reply {
  started = false;
  readonly #inner: Reply;
  readonly #options: CommentOptions;
  #commented = false;
  /** Parts of an answer that is no event stream, behind comments; null when it passes as it is. */
  #plain: Buffer[] | null = null;
  #status = 0;
  #callOff: () => void;

  constructor(inner: Reply, options: CommentOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#callOff = options.after(options.everyMs, () => this.#comment());
  }

  get finished(): boolean {
    return this.#inner.finished;
  }

  get canVerbatim(): boolean {
    return !this.#commented && this.#inner.canVerbatim;
  }

  head(status: number, rawHeaders: readonly string[], options?: HeadOptions): void {
    this.stop();
    this.started = true;
    this.#status = status;
    if (!this.#commented) this.#inner.head(status, rawHeaders, options);
    else if (!isEventStream([...(options?.common?.list ?? []), ...rawHeaders])) this.#plain = [];
  }

  write(bytes: Uint8Array | string): boolean {
    if (!this.#plain) return this.#inner.write(bytes);
    this.#plain.push(Buffer.from(bytes));
    return true;
  }

  drained(): Promise<void> {
    return this.#inner.drained();
  }

  end(bytes?: Uint8Array | string): void {
    this.stop();
    if (this.#plain) {
      if (bytes !== undefined) this.#plain.push(Buffer.from(bytes));
      this.#inner.end(this.#errorEvent(Buffer.concat(this.#plain)));
    } else this.#inner.end(bytes);
  }

  abort(): void {
    this.stop();
    this.started = true;
    this.#inner.abort();
  }

  reset(): void {
    this.stop();
    this.started = true;
    this.#inner.reset();
  }

  /** No comments from now on. */
  stop(): void {
    this.#callOff();
  }

  #comment(): void {
    const { everyMs, after, requestId, tell } = this.#options;
    if (!this.#commented) {
      this.#commented = true;
      const stream = ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-cache, no-transform'];
      const ours = ['X-Accel-Buffering', 'no', 'x-request-id', requestId, 'x-berth-origin', 'gateway'];
      this.#inner.head(200, [...stream, ...ours]);
    }
    this.#inner.write(`: berth ${tell()}\n\n`);
    this.#callOff = after(everyMs, () => this.#comment());
  }

  /** An error that is JSON goes on, where the API has it so, as it is; anything else could be taken for a reply. */
  #errorEvent(body: Buffer): string {
    const text = body.toString('utf8').replaceAll(/[\r\n]+/g, ' ');
    const { dialect } = this.#options;
    const error = this.#status >= 400 && body.length <= maxErrorBytes ? errorIn(text) : null;
    if (error) return errorReplyEvent(dialect, text, error);
    const message = `The upstream answered a stream with status ${this.#status} and no events.`;
    return streamError(dialect, upstreamFailed('malformed', message));
  }
}

function isEventStream(rawHeaders: readonly string[]): boolean {
  const types = headerValues(rawHeaders, 'content-type');
  return types.some((type) => type.toLowerCase().startsWith('text/event-stream'));
}

function errorIn(text: string): object | null {
  try {
    const value = JSON.parse(text) as { error?: unknown } | null;
    return typeof value?.error === 'object' ? value.error : null;
  } catch {
    return null;
  }
}

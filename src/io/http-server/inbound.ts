import type { RequestBody } from './body.ts';
import type { RequestHead } from './request-head.ts';
import type { BodyOptions, Inbound } from './types.ts';

/** What a request knows of its connection. */
export interface InboundConnection {
  readonly peer: string;
  readonly certificateName: string | null;
  readonly isLast: boolean;
}

/** One request of a connection. */
export class HttpInbound implements Inbound {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly likeness: object | null;
  readonly connection: InboundConnection;
  readonly #names: readonly string[];
  readonly #body: RequestBody;
  #gone = false;
  #onClosed: (() => void) | (() => void)[] | null = null;
  #closed: AbortSignal | undefined;

  constructor(head: RequestHead, body: RequestBody, connection: InboundConnection) {
    this.method = head.method;
    this.url = head.url;
    this.rawHeaders = head.rawHeaders;
    this.likeness = head.likeness;
    this.connection = connection;
    this.#names = head.names;
    this.#body = body;
  }

  header(name: string): string | undefined {
    const names = this.#names;
    let at = names.indexOf(name);
    if (at < 0) return undefined;
    let value = this.rawHeaders[2 * at + 1] as string;
    while ((at = names.indexOf(name, at + 1)) >= 0) value += `, ${this.rawHeaders[2 * at + 1]}`;
    return value;
  }

  body(limitBytes: number, options?: BodyOptions): Promise<Buffer> {
    return this.#body.read(limitBytes, options);
  }

  wholeBody(limitBytes: number, options?: BodyOptions): Buffer | null {
    return this.#body.readWhole(limitBytes, options);
  }

  get closed(): AbortSignal {
    if (!this.#closed) {
      const gone = new AbortController();
      this.#closed = gone.signal;
      this.onClosed(() => gone.abort());
    }
    return this.#closed;
  }

  onClosed(callback: () => void): void {
    if (this.#gone) callback();
    else if (this.#onClosed === null) this.#onClosed = callback;
    else if (Array.isArray(this.#onClosed)) this.#onClosed.push(callback);
    else this.#onClosed = [this.#onClosed, callback];
  }

  get peer(): string {
    return this.connection.peer;
  }

  get certificateName(): string | null {
    return this.connection.certificateName;
  }

  get isLast(): boolean {
    return this.connection.isLast;
  }

  /** The connection is gone, and the reply was not finished. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    const callbacks = this.#onClosed;
    this.#onClosed = null;
    if (typeof callbacks === 'function') callbacks();
    else for (const callback of callbacks ?? []) callback();
  }
}

import type http from 'node:http';
import { readBody } from './body.ts';
import type { BodyOptions, Inbound } from './types.ts';

/** `Inbound` over Node's request. */
export class NodeInbound implements Inbound {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  /** The client waits with Expect: 100-continue, and has not been told to send. */
  waiting: boolean;
  readonly #request: http.IncomingMessage;
  readonly #response: http.ServerResponse;
  #closed: AbortSignal | undefined;

  constructor(request: http.IncomingMessage, response: http.ServerResponse, waiting: boolean) {
    this.method = request.method ?? 'GET';
    this.url = request.url ?? '/';
    this.rawHeaders = request.rawHeaders;
    this.waiting = waiting;
    this.#request = request;
    this.#response = response;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  body(limitBytes: number, options?: BodyOptions): Promise<Buffer> {
    return readBody(this.#request, limitBytes, { ...options, proceed: () => this.#proceed() });
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
    const response = this.#response;
    // The response's close without a finished write is the one sign that holds in every phase.
    if (response.closed) {
      if (!response.writableFinished) callback();
      return;
    }
    // It comes once in any case; `on` spares the wrapper.
    response.on('close', () => {
      if (!response.writableFinished) callback();
    });
  }

  get connection(): object {
    return this.#request.socket;
  }

  get peer(): string {
    const { socket } = this.#request;
    return `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
  }

  #proceed(): void {
    if (this.waiting) this.#response.writeContinue();
    this.waiting = false;
  }
}

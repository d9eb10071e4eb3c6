import type http from 'node:http';
import { setVerbatim, verbatimWorks } from './verbatim.ts';
import type { Reply } from './types.ts';

/** Asked when the head is written: a server that is closing, or a body never sent, ends the connection with the reply. */
export type EndsConnection = () => boolean;

/** Up to this size copying a body is cheaper than a second buffer for the kernel. */
const onePiece = 16 * 1024;

/** `Reply` over Node's response. States: waiting → begun (the head is given) → ended. */
export class NodeReply implements Reply {
  started = false;
  readonly canVerbatim: boolean;
  readonly #response: http.ServerResponse;
  readonly #endsConnection: EndsConnection;
  /** Some body has been written, and the head has gone out with it. */
  #wrote = false;
  #verbatim = false;

  constructor(request: http.IncomingMessage, response: http.ServerResponse, endsConnection: EndsConnection) {
    this.#response = response;
    this.#endsConnection = endsConnection;
    this.canVerbatim = request.httpVersionMinor === 1 && request.method !== 'HEAD' && verbatimWorks();
  }

  get finished(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  head(status: number, rawHeaders: readonly string[], options?: { verbatim?: boolean }): void {
    this.started = true;
    const response = this.#response;
    if (response.destroyed) return;
    if (this.#endsConnection()) response.shouldKeepAlive = false;
    response.writeHead(status, rawHeaders as string[]);
    if (options?.verbatim) {
      setVerbatim(response);
      this.#verbatim = true;
    }
    process.nextTick(flushHead, this);
  }

  write(bytes: Uint8Array | string): boolean {
    const response = this.#response;
    // Bytes that bring their framing need nothing of Node's message, which would cork and uncork for each of them.
    const socket = this.#verbatim && this.#wrote ? response.socket : null;
    this.#wrote = true;
    return socket && !socket.destroyed ? socket.write(bytes) : response.write(bytes);
  }

  drained(): Promise<void> {
    const response = this.#response;
    const socket = response.socket;
    if (response.destroyed || !(response.writableNeedDrain || socket?.writableNeedDrain))
      return Promise.resolve();
    return new Promise((resolve) => {
      function go(): void {
        response.off('drain', go).off('close', go);
        socket?.off('drain', go);
        resolve();
      }
      response.on('drain', go).on('close', go);
      socket?.on('drain', go);
    });
  }

  end(bytes?: Uint8Array | string): void {
    const first = !this.#wrote;
    this.#wrote = true;
    // As latin1, which keeps every byte, a short body joins the head in one string, and the kernel is asked to write one
    // buffer in place of two.
    if (first && bytes instanceof Buffer && bytes.length <= onePiece)
      this.#response.end(bytes.toString('latin1'), 'latin1');
    else this.#response.end(bytes);
  }

  abort(): void {
    this.started = true;
    this.#response.destroy();
  }

  reset(): void {
    this.started = true;
    this.#response.socket?.resetAndDestroy();
  }

  /** The head alone, when no body has followed it in the same turn. */
  flush(): void {
    if (!this.#wrote && !this.finished) this.#response.flushHeaders();
  }
}

function flushHead(reply: NodeReply): void {
  reply.flush();
}

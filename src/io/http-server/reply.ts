import type { Socket } from 'node:net';
import { replyHead } from './reply-head.ts';
import type { Framing, ReplyHead } from './reply-head.ts';
import { latin1 } from '../turn-writer.ts';
import type { Owed, TurnWriter } from '../turn-writer.ts';
import type { HeadOptions, Reply } from './types.ts';

/** What a reply knows of its connection. */
export interface ReplyConnection {
  readonly socket: Socket;
  readonly out: TurnWriter;
  /** Asked when the head is written: a server that is closing, or a body never sent, ends the connection with the reply. */
  readonly mustEnd: () => boolean;
  /** Date, and how long the connection is kept: the lines that every head has. */
  readonly commonLines: (keepAlive: boolean) => string;
  /** The reply is written; `keepAlive`: another may follow. */
  readonly onEnded: (keepAlive: boolean) => void;
  /** Resolves at the next drain of the socket, or at its end. */
  readonly drained: () => Promise<void>;
}

/** Up to this size copying a body is cheaper than a second buffer for the kernel. */
const onePiece = 16 * 1024;

/** One reply of a connection. States: waiting → begun (the head is given) → head sent → ended. */
export class HttpReply implements Reply, Owed {
  started = false;
  readonly canVerbatim: boolean;
  readonly #connection: ReplyConnection;
  readonly #out: TurnWriter;
  readonly #version: number;
  readonly #bodyless: boolean;
  #keepAlive: boolean;
  #head: ReplyHead | null = null;
  #framing: Framing = 'none';
  /** Bytes of a body of known length that are still to come. */
  #left = 0;
  #ended = false;
  #gaveUp = false;

  constructor(
    connection: ReplyConnection,
    request: { readonly method: string; readonly version: number; readonly keepAlive: boolean },
  ) {
    this.#connection = connection;
    this.#out = connection.out;
    this.#version = request.version;
    this.#bodyless = request.method === 'HEAD';
    this.#keepAlive = request.keepAlive;
    this.canVerbatim = request.version >= 11 && !this.#bodyless;
  }

  get finished(): boolean {
    return this.#ended || this.#connection.socket.destroyed;
  }

  /** All of it has been handed to the socket. */
  get whole(): boolean {
    return this.#ended && !this.#gaveUp;
  }

  head(status: number, rawHeaders: readonly string[], options?: HeadOptions): void {
    if (this.started) throw new Error('The head of this reply has been given before.');
    const verbatim = options?.verbatim === true && this.canVerbatim;
    const head = replyHead(status, rawHeaders, {
      version: this.#version,
      bodyless: this.#bodyless,
      verbatim,
      common: options?.common,
      own: options?.own,
    });
    this.started = true;
    this.#head = head;
    if (head.close || this.#connection.mustEnd()) this.#keepAlive = false;
    this.#out.owe(this);
  }

  write(bytes: Uint8Array | string): boolean {
    // Whether the socket is there still is found out when it is written to.
    if (this.#ended || bytes.length === 0) return true;
    const head = this.#headText(null);
    const framing = this.#framing;
    if (framing === 'none') return head === '' ? true : this.#out.write(head);
    if (framing === 'chunked') return this.#chunk(head, bytes, '');
    if (framing === 'length' && !this.#count(bytes)) return true;
    return this.#send(head, bytes);
  }

  drained(): Promise<void> {
    return this.#connection.socket.destroyed || this.#out.ready
      ? Promise.resolve()
      : this.#connection.drained();
  }

  end(bytes?: Uint8Array | string): void {
    if (this.finished) return;
    const body = bytes ?? '';
    const head = this.#headText(body);
    if (this.#framing === 'length' && (!this.#count(body) || this.#left > 0)) {
      // A client that waits for the rest would take the next reply for it.
      this.abort();
      return;
    }
    this.#ended = true;
    if (this.#framing === 'chunked') this.#chunk(head, body, '0\r\n\r\n');
    else if (this.#framing === 'none') this.#send(head, '');
    else this.#send(head, body);
    this.#connection.onEnded(this.#keepAlive);
  }

  abort(): void {
    this.started = true;
    this.#head = null;
    this.#out.flush();
    this.#connection.socket.destroy();
  }

  reset(): void {
    this.started = true;
    this.#connection.socket.resetAndDestroy();
  }

  /** Nothing more is written: the connection has answered in its own words. */
  giveUp(): void {
    this.#ended = true;
    this.#gaveUp = true;
  }

  /** The head alone, when no body has followed it in the same turn. */
  flush(): void {
    if (!this.#head || this.finished) return;
    this.#out.write(this.#headText(null));
  }

  /** Text of the head when it has not gone out yet, else "". `whole`: the body, when it is there at once. */
  #headText(whole: Uint8Array | string | null): string {
    const head = this.#head;
    if (!head) {
      if (!this.started) throw new Error('The head of this reply has not been given.');
      return '';
    }
    this.#head = null;
    this.#framing = head.framing;
    this.#left = head.length;
    let text = head.text;
    if (head.framing === 'open') text += this.#choose(whole);
    else if (this.#bodyless && head.length < 0 && whole && whole.length > 0)
      text += `Content-Length: ${Buffer.byteLength(whole)}\r\n`;
    if (this.#framing === 'close') this.#keepAlive = false;
    return `${text}${this.#connection.commonLines(this.#keepAlive)}\r\n`;
  }

  /** Neither length nor coding was given: the length if it is known by now, else chunks, else the connection's end. */
  #choose(whole: Uint8Array | string | null): string {
    if (whole !== null) {
      this.#framing = 'length';
      this.#left = Buffer.byteLength(whole);
      return `Content-Length: ${this.#left}\r\n`;
    }
    this.#framing = this.#version >= 11 ? 'chunked' : 'close';
    return this.#framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '';
  }

  /** False when there is more than the length announced; the connection is then cut. */
  #count(bytes: Uint8Array | string): boolean {
    this.#left -= typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
    if (this.#left < 0) this.abort();
    return this.#left >= 0;
  }

  /** In one write where that is cheap: as latin1, which keeps every byte, a short body joins the head in one string. */
  #send(head: string, bytes: Uint8Array | string): boolean {
    if (head === '' && bytes.length === 0) return true;
    if (bytes.length <= onePiece)
      return this.#out.write(head === '' && typeof bytes !== 'string' ? bytes : head + latin1(utf8(bytes)));
    return head === '' ? this.#out.through(utf8(bytes)) : this.#out.through(head, utf8(bytes));
  }

  #chunk(head: string, bytes: Uint8Array | string, after: string): boolean {
    // An empty chunk would end the body.
    if (bytes.length === 0) return this.#send(head + after, '');
    const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    const before = `${head}${body.length.toString(16)}\r\n`;
    if (body.length <= onePiece) return this.#out.write(`${before}${latin1(body)}\r\n${after}`);
    return this.#out.through(before, body, `\r\n${after}`);
  }
}

function utf8(bytes: Uint8Array | string): Uint8Array {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}

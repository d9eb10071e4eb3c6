import net from 'node:net';
import tls from 'node:tls';
import { BodyDraft } from './timed-body.ts';
import { MalformedReply } from './upstream-pool/chunked.ts';
import { ReplyReader } from './upstream-pool/reply-reader.ts';
import type { BodyRead, UpstreamHead, UpstreamSink } from './upstream-pool/types.ts';

/** Where connections go. */
export interface TimedOrigin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/** What happens to the one exchange that a connection carries. */
export interface ExchangeEvents {
  readonly onConnected: (at: number) => void;
  readonly onSent: (at: number) => void;
  readonly onHead: (head: UpstreamHead, at: number) => void;
  /** Bytes of the body have come; the draft holds them already. */
  readonly onRead: (body: BodyDraft, at: number) => void;
  readonly onEnd: (at: number) => void;
  /** `touched`: a byte of the answer had come. Error null: the server closed the connection in good order. */
  readonly onLost: (error: NodeJS.ErrnoException | null, touched: boolean, at: number) => void;
}

/** Who keeps connections: it hears when one can carry another exchange, and when one is no more. */
export interface ConnectionKeeper {
  readonly onFree: (connection: TimedConnection) => void;
  readonly onGone: (connection: TimedConnection) => void;
}

/** All connections of the process read into this one: Node would make a buffer of 64 KiB for every read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

function isLive(): boolean {
  return true;
}

/**
 * One socket and the exchange it carries. The clock is read as the first thing when bytes come; then they are copied
 * out of the shared buffer, and nothing in them is looked at but the framing.
 */
export class TimedConnection implements UpstreamSink {
  readonly #socket: net.Socket;
  readonly #now: () => number;
  readonly #keeper: ConnectionKeeper;
  #exchange: ExchangeEvents | null = null;
  #reader: ReplyReader | null = null;
  #body: BodyDraft | null = null;
  #error: NodeJS.ErrnoException | null = null;
  #touched = false;
  #connected = false;
  #at = 0;

  constructor(origin: TimedOrigin, now: () => number, keeper: ConnectionKeeper) {
    this.#now = now;
    this.#keeper = keeper;
    const onread = { buffer: readBuffer, callback: (size: number) => this.#onData(size) };
    const { host, port } = origin;
    // A name is checked against the certificate; an address cannot be asked for by SNI.
    const servername = net.isIP(host) ? '' : host;
    this.#socket = origin.secure
      ? tls.connect({ host, port, servername, ALPNProtocols: ['http/1.1'], onread } as tls.ConnectionOptions)
      : net.connect({ host, port, onread });
    this.#socket.setNoDelay(true);
    this.#socket
      .once(origin.secure ? 'secureConnect' : 'connect', () => {
        this.#connected = true;
        this.#exchange?.onConnected(now());
      })
      .on('end', () => this.#onEnd())
      .on('error', (error) => (this.#error = error))
      .on('close', () => {
        keeper.onGone(this);
        this.#lose();
      });
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.readable;
  }

  /** Takes an exchange over; tells at once that it is connected when it is. */
  begin(exchange: ExchangeEvents): void {
    this.#exchange = exchange;
    this.#reader = new ReplyReader(this, 'POST');
    this.#body = null;
    this.#touched = false;
    if (this.#connected) exchange.onConnected(this.#now());
  }

  write(bytes: Buffer): void {
    const exchange = this.#exchange;
    let told = false;
    const tell = (): void => {
      if (told || this.#exchange !== exchange) return;
      told = true;
      exchange?.onSent(this.#now());
    };
    this.#socket.write(bytes, tell);
    // The kernel took all of it already: the callback would only come a turn later.
    if (this.#socket.writableLength === 0) tell();
  }

  /** Lets go of the exchange, without a word to it, and of the socket. */
  destroy(): void {
    this.#exchange = null;
    this.#reader = null;
    this.#socket.destroy();
  }

  onHead(head: UpstreamHead): void {
    this.#body = new BodyDraft(head.length);
    this.#exchange?.onHead(head, this.#at);
  }

  onBody({ raw, spans, spanCount }: BodyRead): void {
    const body = this.#body;
    if (!body || spanCount === 0) return;
    for (let i = 0; i < spanCount; i += 2) body.append(raw, spans[i] as number, spans[i + 1] as number);
    body.mark(this.#at);
    this.#exchange?.onRead(body, this.#at);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    const reader = this.#reader;
    this.#exchange = null;
    this.#reader = null;
    const { head } = reader ?? {};
    const whole = head?.keepAlive && head.framing !== 'close' && !reader?.surplus;
    if (whole && this.#socket.writableLength === 0 && this.usable) this.#keeper.onFree(this);
    else this.#socket.destroy();
    exchange?.onEnd(this.#at);
  }

  /** The reader never tells a failure: it throws. */
  onFail(): void {}

  #onData(size: number): boolean {
    this.#at = this.#now();
    const reader = this.#reader;
    if (!reader) {
      // Nobody asked for anything: the stream of requests and answers is out of step.
      this.#socket.destroy();
      return false;
    }
    this.#touched = true;
    const view = readBuffer.subarray(0, size);
    try {
      // Half a head is kept until the rest comes, when the shared buffer holds something else.
      reader.push(reader.head ? view : Buffer.from(view), isLive);
    } catch (error) {
      if (!(error instanceof MalformedReply)) throw error;
      this.#error = error;
      this.#socket.destroy();
      this.#lose();
    }
    return true;
  }

  #onEnd(): void {
    this.#at = this.#now();
    if (this.#exchange) this.#reader?.finish();
  }

  #lose(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#reader = null;
    exchange?.onLost(this.#error, this.#touched, this.#now());
  }
}

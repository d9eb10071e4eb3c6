import type { Socket } from 'node:net';
import type { ApiFault } from '../../domain/openai.ts';
import { RequestBody } from './body.ts';
import type { BodySource } from './body.ts';
import { HttpInbound } from './inbound.ts';
import type { InboundConnection } from './inbound.ts';
import type { ServerLimits } from './limits.ts';
import { soon } from '../turn-work.ts';
import type { TurnWork } from '../turn-work.ts';
import { TurnWriter } from '../turn-writer.ts';
import { commonName } from './tls.ts';
import { malformedFaults, rawReply } from './malformed.ts';
import { refusalOf, refuse } from './refusals.ts';
import { readIntoOne } from './read-into-one.ts';
import { HttpReply } from './reply.ts';
import type { ReplyConnection } from './reply.ts';
import { MalformedRequest, RequestParser } from './request-parser.ts';
import type { RequestHead } from './request-head.ts';
import type { RequestSink } from './request-parser.ts';
import type { Refuser } from './types.ts';

/** What a connection needs of its server. */
export interface ConnectionOwner {
  readonly limits: ServerLimits;
  /** Monotonic milliseconds, to a tick's accuracy. */
  readonly now: () => number;
  /** No request after those that have begun. */
  readonly closing: boolean;
  readonly commonLines: (keepAlive: boolean) => string;
  readonly serve: (inbound: HttpInbound, reply: HttpReply) => void;
  readonly refuser: Refuser;
  readonly onGone: (connection: Connection) => void;
  /** It is cut since its client takes nothing of a reply that is written. */
  readonly onUnread: () => void;
}

/** A request under way and its reply. */
interface Turn {
  readonly body: RequestBody;
  readonly inbound: HttpInbound;
  readonly reply: HttpReply;
  /** Why no handler gets it. */
  readonly refusal: ApiFault | null;
  /** The handler has been called. */
  served: boolean;
  /** The client waits with Expect: 100-continue, and has not been told to send. */
  waiting: boolean;
}

/** Bytes of later requests that are kept while one is under way; beyond them nothing is read. */
const maxBacklog = 64 * 1024;

/**
 * One client's connection: requests one after the other, each answered before the next is looked at.
 * States: idle → reading a head → a turn (body and reply) → idle …; leaving (our side has ended) → gone.
 */
export class Connection implements RequestSink, InboundConnection, ReplyConnection, BodySource, TurnWork {
  readonly socket: Socket;
  readonly out: TurnWriter;
  readonly #owner: ConnectionOwner;
  readonly #parser: RequestParser;
  #turn: Turn | null = null;
  #backlog: Buffer | null = null;
  #pumping = false;
  /** What came of a request waits for its turn of the event loop. */
  #waits = false;
  /** When something came last, or all of our side had gone out. */
  #since: number;
  #headSince = 0;
  #dropSince = 0;
  #retired = false;
  #leaving = false;
  /** What of a reply that is written the client has not taken, and since when it is so much. */
  #unread = 0;
  #unreadSince = 0;
  #onDrain: (() => void)[] = [];
  #certificateName: { readonly value: string | null } | null = null;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.socket = socket;
    this.out = new TurnWriter(socket, () => this.#wake());
    this.#owner = owner;
    this.#parser = new RequestParser(this);
    this.#since = owner.now();
    readIntoOne(socket, (bytes) => this.#onData(bytes));
    socket
      .on('end', () => this.#onEnd())
      .on('drain', () => this.#wake())
      .on('finish', () => (this.#since = owner.now()))
      .on('error', () => {})
      .on('close', () => this.#onClose());
  }

  get idle(): boolean {
    return this.#turn === null && !this.#parser.underWay && !this.#waits;
  }

  get certificateName(): string | null {
    return (this.#certificateName ??= { value: commonName(this.socket) }).value;
  }

  get peer(): string {
    return `${this.socket.remoteAddress ?? '?'}:${this.socket.remotePort ?? 0}`;
  }

  /** Ends our side, and the connection once the client has ended its own, or after a while. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#since = this.#owner.now();
    this.#backlog = null;
    this.socket.resume();
    this.out.flush();
    this.socket.end();
  }

  /** Serves what has begun, and nothing more. */
  retire(): void {
    this.#retired = true;
    if (this.idle) this.leave();
  }

  get isLast(): boolean {
    return this.#retired || this.#owner.closing;
  }

  /** Called now and then: closes what waits for too long. */
  check(now: number): void {
    const { limits } = this.#owner;
    const silent = now - this.#since;
    const turn = this.#turn;
    if ((this.#leaving || turn?.reply.finished) && this.#isUnread(now)) {
      this.#owner.onUnread();
      this.socket.destroy();
    } else if (this.#leaving) {
      // A slow client is still reading the last reply until then.
      if (this.socket.writableFinished && silent > limits.lingerMs) this.socket.destroy();
    } else if (!turn) {
      if (this.#parser.underWay && now - this.#headSince > limits.headMs) this.#break(malformedFaults.late);
      else if (silent > limits.idleMs) this.leave();
    } else if (turn.body.dropped !== null && !turn.body.whole) {
      if (now - this.#dropSince > limits.dropMs || turn.body.dropped > limits.dropBytes) this.leave();
    } else if (!turn.body.whole && silent > limits.idleMs && !this.socket.isPaused())
      this.#break(malformedFaults.late);
  }

  /** Nothing of what it is still to take has gone out for too long. */
  #isUnread(now: number): boolean {
    const { left } = this.out;
    if (left === 0 || left !== this.#unread) {
      this.#unread = left;
      this.#unreadSince = now;
    }
    return left > 0 && now - this.#unreadSince > this.#owner.limits.unreadMs;
  }

  // What the parser tells.

  onHead(head: RequestHead): void {
    const body = new RequestBody(this, head.length);
    this.#turn = {
      body,
      inbound: new HttpInbound(head, body, this),
      reply: new HttpReply(this, head),
      refusal: refusalOf(head),
      served: false,
      waiting: head.expect !== null && head.version >= 11 && (head.coding !== null || (head.length ?? 0) > 0),
    };
  }

  onBody(part: Buffer): void {
    const turn = this.#turn;
    if (!turn) return;
    turn.waiting = false;
    turn.body.push(part);
  }

  // What the body asks for.

  proceed(): void {
    const turn = this.#turn;
    if (!turn?.waiting) return;
    turn.waiting = false;
    this.out.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.#since = this.#owner.now();
    this.socket.resume();
  }

  onDropped(): void {
    this.#dropSince = this.#owner.now();
    this.socket.resume();
  }

  // What the reply asks for.

  mustEnd(): boolean {
    return this.isLast || this.#turn?.waiting === true;
  }

  commonLines(keepAlive: boolean): string {
    return this.#owner.commonLines(keepAlive);
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#onDrain.push(resolve));
  }

  onEnded(keepAlive: boolean): void {
    const turn = this.#turn;
    if (!turn) return;
    if (!keepAlive || this.isLast) this.leave();
    else if (turn.body.whole) this.#afterReply(turn);
    else turn.body.drop();
  }

  #onData(bytes: Buffer): void {
    // Whoever goes on sending must not keep the connection by it.
    if (this.#leaving) return;
    this.#since = this.#owner.now();
    const turn = this.#turn;
    if (turn && !turn.body.whole) {
      this.#pump(bytes);
      return;
    }
    this.#backlog = this.#backlog ? Buffer.concat([this.#backlog, bytes]) : bytes;
    if (turn || this.#waits) {
      if (this.#backlog.length > maxBacklog) this.socket.pause();
      return;
    }
    this.#waits = true;
    soon(this);
  }

  /** A request begins. */
  inItsTurn(): void {
    this.#waits = false;
    const rest = this.#takeBacklog();
    if (rest) this.#pump(rest);
  }

  /** Reads requests and has them served, until one is not done at once or the bytes are used up. */
  #pump(bytes: Buffer): void {
    this.#pumping = true;
    try {
      for (let rest: Buffer | null = bytes; rest; rest = this.#takeBacklog()) this.#read(rest);
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      this.#break(malformedFaults[error.reason]);
    } finally {
      this.#pumping = false;
    }
  }

  #read(bytes: Buffer): void {
    if (!this.#parser.underWay) this.#headSince = this.#since;
    const used = this.#parser.push(bytes);
    if (used < bytes.length) this.#backlog = bytes.subarray(used);
    const turn = this.#turn;
    if (!turn) return;
    if (!this.#parser.underWay) turn.body.finish();
    if (!turn.served) {
      turn.served = true;
      if (turn.refusal)
        refuse(turn.reply, turn.refusal, this.#owner.refuser(turn.refusal, turn.inbound, false));
      else this.#owner.serve(turn.inbound, turn.reply);
    } else if (turn.body.whole && turn.reply.finished) this.#afterReply(turn);
  }

  /** What has come of later requests, when their turn has come. */
  #takeBacklog(): Buffer | null {
    const bytes = this.#backlog;
    if (!bytes || this.#turn || this.#leaving) return null;
    this.#backlog = null;
    if (this.socket.isPaused()) this.socket.resume();
    return bytes;
  }

  /** The client may go before it has all of the reply: the turn lasts until that is out of our hands. */
  #afterReply(turn: Turn): void {
    if (this.out.settled) this.#next();
    else
      this.socket.write('', () => {
        if (this.#turn === turn) this.#next();
      });
  }

  #next(): void {
    this.#turn = null;
    this.#unread = 0;
    this.#since = this.#owner.now();
    if (this.isLast) {
      this.leave();
      return;
    }
    const rest = this.#pumping ? null : this.#takeBacklog();
    if (rest) this.#pump(rest);
  }

  /** The client broke the rules: said in a reply as long as none has begun. */
  #break(fault: ApiFault): void {
    const turn = this.#turn;
    this.out.flush();
    if (turn?.reply.started) {
      this.socket.destroy();
      return;
    }
    const text = this.#owner.refuser(fault, turn?.inbound ?? null, turn?.served ?? false);
    this.socket.write(rawReply(fault, text));
    this.leave();
    turn?.reply.giveUp();
    turn?.body.fail();
    turn?.inbound.leave();
  }

  #onEnd(): void {
    // Nobody can tell a client that has gone from one that only stops sending; the first is the usual one.
    if (this.#turn && !this.#turn.reply.finished) this.socket.destroy();
    else this.leave();
  }

  #onClose(): void {
    const turn = this.#turn;
    this.#leaving = true;
    this.#backlog = null;
    this.#parser.free();
    this.#owner.onGone(this);
    turn?.body.fail();
    if (turn && (!turn.reply.whole || !this.out.settled)) turn.inbound.leave();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#onDrain;
    if (waiting.length === 0) return;
    this.#onDrain = [];
    for (const go of waiting) go();
  }
}

import { Connection } from './connection.ts';
import type { ConnectionOwner, Job } from './connection.ts';
import { dialTo } from './dial.ts';
import type { Dial } from './dial.ts';
import {
  haveClosed,
  haveLived,
  haveServed,
  keepLimit,
  noHabit,
  spareOnes,
  usualMs,
  worthTrying,
} from './keep-habit.ts';
import { KnownReplies } from './known-replies.ts';
import type { Sweep } from './sweep.ts';
import type {
  Exchange,
  PoolOptions,
  PoolTimes,
  UpstreamFailure,
  UpstreamPool,
  UpstreamRequest,
  UpstreamSink,
} from './types.ts';

/** How long a connection is watched after an event stream, as long as this upstream's habit is not known. */
const probationMs = 1000;
/** A few tell the habit as well as many. */
const maxWatched = 4;
/** A request on a new connection that has heard nothing for so long may wait for a place that unused ones take. */
const patienceMs = 1000;

/**
 * Connections to one upstream, the one used last taken first. A connection is busy, unused, watched
 * (after an event stream, until this upstream's habit is known), or the one that is tried: kept for longer
 * than it may be used, which tells how long others may.
 */
class ConnectionPool implements UpstreamPool, ConnectionOwner {
  readonly now: () => number;
  readonly known = new KnownReplies();
  readonly #exact: () => number;
  readonly #dial: Dial;
  readonly #authority: string;
  readonly #prefix: string;
  #latest = { method: '', path: '', start: '' };
  #options: PoolTimes;
  readonly #busy = new Set<Connection>();
  readonly #unused: Connection[] = [];
  readonly #watched = new Set<Connection>();
  #tried: Connection | null = null;
  #habit = noHabit;
  /** How many may be unused for longer than the usual time, as of the latest check. */
  #spare = 0;
  #checkedAt = -Infinity;
  readonly #sweep: Sweep;
  /** Null while no time limit is watched: after `retire`, as long as nothing is under way. */
  #unsweep: (() => void) | null = null;
  /** Some servers announce keep-alive and yet close after an event stream; learned from the first ones. */
  #keepsAfterStream: boolean | null = null;
  #retired = false;
  /** When it answered last, but for parts of replies that are not whole. */
  #heardAt = -Infinity;

  constructor(base: URL, sweep: Sweep, options: PoolOptions) {
    this.#dial = dialTo(base, options.ca);
    this.#authority = base.host;
    this.#prefix = base.pathname.replace(/\/$/, '');
    this.#options = options;
    this.now = sweep.now;
    this.#exact = sweep.exact;
    this.#sweep = sweep;
    this.#watch();
  }

  send(request: UpstreamRequest, sink: UpstreamSink): Exchange {
    const job = new Sending(request, sink, this);
    this.#start(request.anew ? this.#open() : this.#take(), job);
    return job;
  }

  limit(times: PoolTimes): void {
    this.#options = { ...this.#options, ...times };
  }

  giveUp(unreachedSince: number): void {
    const busy = [...this.#busy];
    if (this.#heardAt > unreachedSince || busy.some((one) => one.begun && one.since > unreachedSince)) return;
    for (const connection of busy) if (isSilent(connection)) connection.lose();
  }

  retire(): void {
    this.#retired = true;
    for (const connection of [...this.#unused, ...this.#watched]) connection.destroy();
    this.#unused.length = 0;
    this.#watched.clear();
    this.#endTrial();
    this.#unsweepWhenDone();
  }

  onFree(connection: Connection, reusable: boolean): void {
    this.#busy.delete(connection);
    const useless = connection.streamed && this.#keepsAfterStream === false;
    if (!reusable || this.#retired || useless) connection.destroy();
    else if (connection.streamed && this.#keepsAfterStream === null) {
      if (this.#watched.size < maxWatched) this.#watched.add(connection);
      else connection.destroy();
    } else this.#unused.push(connection);
  }

  onHeard(): void {
    this.#heardAt = this.now();
  }

  onFailed(connection: Connection, job: Job, failure: UpstreamFailure): void {
    this.#busy.delete(connection);
    // The upstream closed the kept connection while our request was on its way: it never saw the request.
    if (failure.kind === 'reset' && connection.untouched && connection.served > 0) {
      this.#start(new Connection(this, this.#dial), job);
      return;
    }
    // Nobody listens: what listens there next may keep them otherwise.
    if (failure.kind === 'refused') this.#habit = noHabit;
    job.live = false;
    job.sink.onFail(failure);
  }

  onGone(connection: Connection): void {
    this.#busy.delete(connection);
    if (this.#watched.delete(connection)) this.#keepsAfterStream = false;
    const age = this.now() - connection.since;
    if (this.#tried === connection) {
      this.#tried = null;
      this.#habit = haveClosed(this.#habit, age);
    }
    const at = this.#unused.indexOf(connection);
    if (at >= 0) {
      this.#unused.splice(at, 1);
      // It does not keep them as it did: it is another one by now, or set up otherwise.
      if (age > usualMs) this.#habit = noHabit;
    }
    this.#unsweepWhenDone();
  }

  #watch(): void {
    this.#unsweep ??= this.#sweep.each((now) => this.#check(now));
  }

  #unsweepWhenDone(): void {
    if (!this.#retired || this.#busy.size > 0) return;
    this.#unsweep?.();
    this.#unsweep = null;
  }

  #take(): Connection {
    for (let kept = this.#unused.pop(); kept; kept = this.#unused.pop()) {
      if (!kept.socket.destroyed && this.#exact() - kept.since < this.#keepLimit(kept)) return kept;
      this.#letGo(kept);
    }
    return this.#open();
  }

  #open(): Connection {
    // The new one is not to wait for the place of the one that is tried.
    if (this.#busy.size + this.#watched.size + 2 > this.#habit.atOnce) this.#endTrial();
    return new Connection(this, this.#dial);
  }

  /** One that may not be used again. */
  #letGo(connection: Connection): void {
    const canTell = this.#tried === null && this.#spare > 0 && worthTrying(this.#habit);
    if (canTell && !connection.socket.destroyed && announcedLimit(connection) > keepLimit(this.#habit))
      this.#tried = connection;
    else connection.destroy();
  }

  #start(connection: Connection, job: Job): void {
    this.#busy.add(connection);
    // Even a retired pool may be asked: by a request that was on its way before.
    this.#watch();
    connection.start(job, requestBytes(this.#startOf(job.request), job.request));
  }

  /** Of nearly all requests the same, and then the same text. */
  #startOf({ method, path }: UpstreamRequest): string {
    const latest = this.#latest;
    if (latest.method === method && latest.path === path) return latest.start;
    const start = `${method} ${this.#prefix}${path} HTTP/1.1\r\nHost: ${this.#authority}\r\n`;
    this.#latest = { method, path, start };
    return start;
  }

  /** Lets go of a connection with what is under way there. */
  cut(connection: Connection): void {
    this.#busy.delete(connection);
    connection.destroy();
  }

  #check(now: number): void {
    const { connectMs, idleMs, firstByteMs } = this.#options;
    let answered = this.#unused.length + this.#watched.size + (this.#tried ? 1 : 0);
    let isAwaited = false;
    for (const connection of this.#busy) {
      const waited = now - connection.since;
      if (connection.begun || connection.served > 0) answered += 1;
      else isAwaited ||= waited > patienceMs;
      if (connection.connecting && waited > connectMs)
        connection.fail(
          'connect-timeout',
          `No connection within ${connectMs} ms.`,
          connection.reached ? undefined : 'ETIMEDOUT',
        );
      else if (connection.begun && !connection.job?.paused && waited > idleMs)
        connection.fail('idle-timeout', `The upstream sent nothing for ${idleMs} ms.`);
      else if (firstByteMs !== undefined && isSilent(connection) && waited > firstByteMs)
        connection.fail('first-byte-timeout', `The upstream began no reply within ${firstByteMs} ms.`);
    }
    for (const connection of this.#watched) {
      if (now - connection.since < probationMs) continue;
      this.#keepsAfterStream ??= true;
      this.#watched.delete(connection);
      this.#unused.push(connection);
    }
    this.#habit = haveServed(this.#habit, answered);
    this.#spare = isAwaited ? 0 : spareOnes(this.#habit);
    this.#checkUnused(now);
    this.#checkTried();
    this.#checkedAt = now;
  }

  /** Oldest first, since the newest are taken and put back at the end. */
  #checkUnused(now: number): void {
    for (let oldest = this.#unused[0]; oldest; oldest = this.#unused[0]) {
      if (now - oldest.since < this.#keepLimit(oldest)) break;
      this.#unused.shift();
      this.#letGo(oldest);
    }
    const mostOld = Math.max(0, this.#spare - (this.#tried ? 1 : 0));
    for (let next = this.#unused[mostOld]; next; next = this.#unused[mostOld]) {
      if (now - next.since < usualMs) break;
      this.#unused.shift()?.destroy();
    }
  }

  /** What was closed since the check before has been seen by now; what is closed now may not have been, in a turn that is late. */
  #checkTried(): void {
    if (!this.#tried) return;
    this.#habit = haveLived(this.#habit, this.#checkedAt - this.#tried.since);
    if (this.#spare === 0 || !worthTrying(this.#habit)) this.#endTrial();
  }

  /** With no lesson but what was learned of it so far. */
  #endTrial(): void {
    const tried = this.#tried;
    this.#tried = null;
    tried?.destroy();
  }

  #keepLimit(connection: Connection): number {
    return Math.min(keepLimit(this.#habit), announcedLimit(connection));
  }
}

/** One object for both sides of an exchange, since there is one for every request. */
class Sending implements Job, Exchange {
  readonly request: UpstreamRequest;
  readonly sink: UpstreamSink;
  live = true;
  paused = false;
  connection: Connection | null = null;
  readonly #pool: ConnectionPool;

  constructor(request: UpstreamRequest, sink: UpstreamSink, pool: ConnectionPool) {
    this.request = request;
    this.sink = sink;
    this.#pool = pool;
  }

  get sent(): boolean {
    return this.connection?.connecting === false;
  }

  get reached(): boolean {
    return this.connection?.reached === true;
  }

  abort(): void {
    if (!this.live) return;
    this.live = false;
    if (this.connection?.job === this) this.#pool.cut(this.connection);
  }

  pause(): void {
    this.paused = true;
    if (this.connection?.job === this) this.connection.socket.pause();
  }

  resume(): void {
    this.paused = false;
    if (this.connection?.job !== this) return;
    this.connection.since = this.#pool.now();
    this.connection.socket.resume();
  }
}

/** Connections to the upstream at `url` (http or https; a path in it stands before every request's own path). */
export function createUpstreamPool(url: string, sweep: Sweep, options: PoolOptions): UpstreamPool {
  return new ConnectionPool(new URL(url), sweep, options);
}

/** Up to this size head and body are written as one piece: copying is cheaper than a second buffer for the kernel. */
const onePiece = 16 * 1024;

/** What goes over the wire, in as few pieces as is cheap. `start`: the lines of the head that go before the others. */
function requestBytes(start: string, request: UpstreamRequest): (string | Uint8Array)[] {
  let head = request.common ? request.common.behind(start) : start;
  for (let i = 0; i < request.headers.length; i += 2)
    head += `${request.headers[i]}: ${request.headers[i + 1]}\r\n`;
  let size = 0;
  for (const part of request.body) size += part.length;
  if (size > 0 || request.method !== 'GET') head += `Content-Length: ${size}\r\n`;
  head += '\r\n';
  if (size > onePiece) return [head, ...request.body];
  for (const part of request.body) head += typeof part === 'string' ? part : part.toString('latin1');
  return [head];
}

/** A second less than the upstream announces: it counts from when it sent, we from when we read. */
function announcedLimit({ keepMs }: Connection): number {
  return keepMs === null ? Infinity : Math.max(0, keepMs - 1000);
}

/** It has its request, and nothing of the reply has come. */
function isSilent({ connecting, begun, job }: Connection): boolean {
  return !connecting && !begun && job !== null;
}

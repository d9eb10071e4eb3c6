import { streamError } from '../../domain/dialects.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type {
  BodyRead,
  Exchange,
  FailureKind,
  UpstreamFailure,
  UpstreamHead,
  UpstreamSink,
} from '../../io/upstream-pool/types.ts';
import { verdictOfFailure } from './failure-verdict.ts';
import { soon } from '../../io/turn-work.ts';
import { aboutNow } from '../../io/turn-writer.ts';
import type { TurnWork } from '../../io/turn-work.ts';
import { AbortDrain } from './abort-drain.ts';
import type { Call, Phase } from '../front/call.ts';
import type { Verdict } from '../routing/deployment.ts';
import { EventCounter } from '../reply/event-counter.ts';
import { endedHere, upstreamFailed, upstreamKeyRefused } from '../reply/faults.ts';
import { requestBlock } from './header-blocks.ts';
import { ownRequestHeaders } from './headers.ts';
import { refusesKey } from './key-refusals.ts';
import type { Lease } from '../admission/lease.ts';
import type { Capture } from '../observe/capture.ts';
import type { Histogram } from '../../stats/histogram.ts';
import { estimatedPrompt } from '../limits/estimate.ts';
import { targetAt } from '../front/paths.ts';
import { isReadAsJson } from './read-as-json.ts';
import { headersForClient, passingOf } from '../reply/reply-head.ts';
import { ReplyWriter } from '../reply/reply-writer.ts';
import { sieveOf } from '../reply/sieve-of.ts';
import { spliceBody } from '../front/request-body.ts';
import { responseIdIn } from '../stored/stored-responses.ts';
import type { StoredResponses } from '../stored/stored-responses.ts';
import { Tail } from '../reply/tail.ts';
import { beginAttempt, endAttempt } from '../tracing/trace.ts';

/**
 * How one attempt ended.
 * - `done`: the reply is whole.
 * - `retry`: nothing reached the client, and `lease` is a slot elsewhere.
 * - `lost`: the engine went away before it answered. Another one may be asked; `fault` is for the client if there is none.
 * - `failed`: nothing reached the client; `fault` is for it.
 * - `cut`: the reply broke off midway, and the client can see that.
 * - `gone`: the client left; `aborted` when the upstream was cut for it.
 */
export type AttemptEnd =
  | { readonly kind: 'done'; readonly status: number }
  | { readonly kind: 'retry'; readonly reason: string; readonly lease: Lease }
  | { readonly kind: 'lost'; readonly reason: FailureKind; readonly fault: ApiFault }
  | { readonly kind: 'failed'; readonly fault: ApiFault }
  | { readonly kind: 'cut'; readonly fault: ApiFault }
  | { readonly kind: 'gone'; readonly aborted: boolean };

export interface AttemptPorts {
  /** Called once, from within whatever has ended it. */
  readonly onEnd: (attempt: Attempt, end: AttemptEnd) => void;
  /** A slot at an instance that was not tried, if the budget for retries allows; else null. */
  readonly other: () => Lease | null;
  readonly retryAfter: () => number;
  readonly noInstance: () => ApiFault;
  /** The engine has refused the gateway's own key, by that status. */
  readonly keyRefused: (status: number) => void;
  /** Milliseconds that a client may leave unread what waits for it. */
  readonly clientMs: () => number;
  /** Where what the engine keeps is noted. */
  readonly stored: StoredResponses;
  /** Calls the task after that many milliseconds, unless called off. */
  readonly after: (ms: number, task: () => void) => () => void;
}

/** Why a client that took nothing was given up. */
export const clientStalled = 'client_stalled';

/** The id of a response stands in its first events, or at the beginning of its text. */
const piecesBeforeId = 8;

const unsent: Exchange = { sent: false, reached: false, abort: () => {}, pause: () => {}, resume: () => {} };

/** One request sent to one instance, and its reply passed on. States: waiting for the head → passing → ended. */
export class Attempt implements UpstreamSink, Phase, TurnWork {
  verdict: Verdict = 'untold';
  readonly tail: Tail;
  eventStream = false;
  /** Tokens of the prompt of a stream, as estimated: should it break off, its engine will not tell them. */
  promptTokens = 0;
  firstAt: number | null = null;
  lastAt = 0;
  readonly #call: Call;
  readonly #lease: Lease;
  readonly #ports: AttemptPorts;
  readonly #sentAt: number;
  #exchange: Exchange = unsent;
  #writer: ReplyWriter | null = null;
  /** Set once the client has left an engine that is read to its end. */
  #drain: AbortDrain | null = null;
  // What an event needs lies here, and not in what it is found through: of each of many streams that is memory which has left
  // the processor's cache, and to fetch it costs more than to work with it.
  /** Null for what is no stream of events. */
  #events: EventCounter | null = null;
  #gap: Histogram | null = null;
  #capture: Capture | null = null;
  /** Pieces of a payload that is no stream of events. */
  #parts = 0;
  /** Events that the lease has room for; about a token each. */
  #room = 0;
  /** The reply may be one that the engine keeps, and its id has not come yet. */
  #mayKeep = false;
  #status = 0;
  #end: AttemptEnd | null = null;

  constructor(call: Call, lease: Lease, ports: AttemptPorts) {
    this.#call = call;
    this.#lease = lease;
    this.#ports = ports;
    this.#sentAt = performance.now();
    // Anthropic's streams and some embeddings tell of tokens at their beginning.
    this.tail = new Tail(call.endpoint.usageInStream ? 0 : 1024);
  }

  /** Events that came, or pieces of another payload. */
  get pieces(): number {
    return this.#events?.count ?? this.#parts;
  }

  /** From the request to the first event; null where it was no stream, or nothing came. */
  get ttftMs(): number | null {
    return this.eventStream && this.firstAt !== null ? this.firstAt - this.#sentAt : null;
  }

  /** The engine had it, and has not refused it. */
  get taken(): boolean {
    return this.#exchange.sent && this.#status < 400;
  }

  /** It may end before this returns. */
  send(): void {
    const call = this.#call;
    const { instance } = this.#lease;
    const { trail } = call;
    trail.instance = instance.id;
    trail.attempts += 1;
    trail.sentAt = this.#sentAt;
    const { body, inbound } = call;
    const traceparent =
      trail.trace &&
      beginAttempt(trail.trace, {
        instance: instance.id,
        url: instance.upstream.url,
        model: call.exact ? null : instance.upstream.model,
        now: this.#sentAt,
      });
    const request = {
      method: inbound.method,
      path: targetAt(instance, call),
      common: requestBlock(inbound, {
        key: instance.key,
        dialect: call.endpoint.dialect,
        traced: traceparent !== null,
        json: isReadAsJson(call),
      }),
      headers: ownRequestHeaders(call.id, traceparent),
      body: body ? spliceBody(body, instance.upstream) : [],
    };
    // The object itself, not a closure: a closure here makes V8 keep every request until its next full collection.
    call.phase = this;
    this.#exchange = instance.pool.send(request, this);
  }

  onHead(head: UpstreamHead): void {
    this.#status = head.status;
    const isKeyRefused = refusesKey(head.status);
    // 501 and 503 are said by an engine that knows what it can do, and when.
    this.verdict =
      (head.status < 500 && !isKeyRefused) || head.status === 501 || head.status === 503
        ? 'answered'
        : 'erred';
    if (isKeyRefused) this.#ports.keyRefused(head.status);
    if (this.#drain) return;
    if (isKeyRefused || head.status === 502 || head.status === 503 || head.status === 429) {
      if (head.status === 503 || head.status === 429) this.#lease.instance.room.noteRefusal();
      const lease = this.#ports.other();
      if (lease) {
        this.#exchange.abort();
        this.#endAs({ kind: 'retry', reason: String(head.status), lease });
        return;
      }
    }
    if (isKeyRefused) {
      this.#exchange.abort();
      this.#endAs({ kind: 'failed', fault: upstreamKeyRefused(head.status) });
      return;
    }
    this.#mayKeep = head.status < 300 && keeps(this.#call);
    this.#commit(head);
  }

  onBody(read: BodyRead): void {
    if (this.firstAt === null) this.firstAt = this.#call.trail.firstAt = this.lastAt = performance.now();
    else this.#noteGap();
    const events = this.#events;
    if (events) {
      events.push(read);
      if (events.count > this.#room) this.#room = this.#lease.outgrow(events.count);
    } else this.#parts += read.spanCount >> 1;
    this.tail.push(read);
    if (this.#mayKeep) this.#noteKept();
    if (this.#drain) {
      this.#drain.took(read.raw.length);
      return;
    }
    this.#capture?.replyBody(read);
    if (!this.#writer?.write(read)) this.#waitForClient();
  }

  #noteGap(): void {
    const now = Math.max(this.lastAt, aboutNow());
    this.#gap?.observe((now - this.lastAt) / 1000);
    this.lastAt = now;
  }

  onEnd(): void {
    if (this.#drain) {
      this.#drained(this.#drain);
      return;
    }
    this.#writer?.end();
    this.#endAs({ kind: 'done', status: this.#status });
  }

  onFail(failure: UpstreamFailure): void {
    const { kind, message } = failure;
    this.verdict = verdictOfFailure(kind);
    const fault = kind === 'refused' ? this.#ports.noInstance() : upstreamFailed(kind, message);
    if (this.#drain) {
      this.#drained(this.#drain);
      return;
    }
    if (this.#writer) {
      this.#cut(this.#writer, upstreamFailed(kind, message));
      return;
    }
    const lost = this.verdict === 'connect-failed' || kind === 'reset';
    this.#endAs(lost ? { kind: 'lost', reason: kind, fault } : { kind: 'failed', fault });
  }

  /** From here on the client has seen this reply: no retry. */
  #commit(head: UpstreamHead): void {
    const call = this.#call;
    this.#capture = call.trail.capture;
    this.#capture?.replyHead(head.status, head.headers);
    this.eventStream = head.eventStream;
    if (head.eventStream) this.#beginEvents(call);
    const isAsked = call.body?.usageSplice != null && this.#lease.instance.upstream.streamUsage !== false;
    const filter = sieveOf(head, { stripUsage: isAsked, name: call.replyAs });
    const passing = passingOf(head, {
      canVerbatim: call.reply.canVerbatim,
      edited: filter !== null,
    });
    const { common, headers, own } = headersForClient(head, passing, {
      call,
      instance: this.#lease.instance,
      sentAt: this.#sentAt,
      now: performance.now(),
      retryAfter: () => this.#ports.retryAfter(),
    });
    const verbatim = passing === 'verbatim';
    call.reply.head(head.status, headers, { verbatim, common, own });
    this.#writer = new ReplyWriter(call.reply, { verbatim, filter });
    call.body = null;
    call.share.release();
  }

  #beginEvents({ body, countedAs, series }: Call): void {
    this.#events = new EventCounter();
    this.#gap = series.gap;
    this.#room = this.#lease.answer;
    if (body) this.promptTokens = estimatedPrompt(countedAs, body.bytes);
  }

  /** Noted as soon as its id has come: a client may ask for it, or cancel it, while it is still being made. */
  #noteKept(): void {
    const id = responseIdIn(this.tail.text());
    this.#mayKeep = id === null && this.pieces < piecesBeforeId;
    if (id === null) return;
    const { key, model, trail } = this.#call;
    const { instance } = this.#lease;
    this.#ports.stored.remember(id, {
      model,
      key,
      instance: instance.id,
      deployment: trail.deployment ?? instance.upstream.deployment,
    });
  }

  /** One that takes nothing for too long must not hold its slot for ever. */
  #waitForClient(): void {
    this.#exchange.pause();
    const callOff = this.#ports.after(this.#ports.clientMs(), () => this.#giveUpClient());
    void this.#call.reply.drained().then(() => {
      callOff();
      this.#exchange.resume();
    });
  }

  #giveUpClient(): void {
    const call = this.#call;
    if (call.gone) return;
    call.trail.cut = true;
    call.trail.code = clientStalled;
    this.#exchange.abort();
    this.#endAs({ kind: 'gone', aborted: true });
    call.reply.abort();
  }

  /** The upstream died midway: say so in a stream, break the connection elsewhere; never end as if all were well. */
  #cut(writer: ReplyWriter, fault: ApiFault): void {
    const event = streamError(this.#call.endpoint.dialect, fault);
    if (!this.eventStream || !writer.endWith(event)) this.#call.reply.abort();
    this.#call.trail.cut = true;
    this.#call.trail.code = fault.code;
    this.#endAs({ kind: 'cut', fault });
  }

  /**
   * The client has left, or an operator wants the request ended: the engine is cut off at once, unless it is one that is
   * read on when a client leaves.
   */
  leave(): void {
    const bounds = this.#lease.instance.upstream.onClientAbort;
    if (!bounds || this.#drain || !this.#call.gone) {
      this.#drain?.stop();
      this.#cutOff();
      return;
    }
    this.#drain = new AbortDrain(bounds, { after: this.#ports.after, onOver: () => this.#cutOff() });
    this.#exchange.resume();
  }

  tell(): string {
    return 'prefill';
  }

  #cutOff(): void {
    this.#exchange.abort();
    if (this.#writer && !this.#call.gone)
      this.#cut(this.#writer, endedHere(this.#call.trail.cancelled ?? 'operator').fault);
    else this.#endAs({ kind: 'gone', aborted: true });
  }

  #drained(drain: AbortDrain): void {
    drain.stop();
    this.#endAs({ kind: 'gone', aborted: false });
  }

  /** What follows can wait for those whose events are under way; what its client sends next comes behind it. */
  #endAs(end: AttemptEnd): void {
    if (this.#end) return;
    const { trace } = this.#call.trail;
    if (trace) endAttempt(trace, { now: performance.now(), ...outcomeOf(end, this.#status, this.#call) });
    this.#call.phase = null;
    this.#end = end;
    if (this.eventStream) soon(this);
    else this.#ports.onEnd(this, end);
  }

  inItsTurn(): void {
    if (this.#end) this.#ports.onEnd(this, this.#end);
  }
}

/** Its answer is one that the engine may keep. */
function keeps({ countedAs, inbound }: Call): boolean {
  return countedAs.path === '/v1/responses' && inbound.method === 'POST';
}

/** For the trace: the engine's status, and why the attempt was no success. */
function outcomeOf(
  end: AttemptEnd,
  status: number,
  { gone, trail }: Call,
): { status: number | null; error: string | null } {
  const answered = status === 0 ? null : status;
  switch (end.kind) {
    case 'done':
      return { status: answered, error: status < 400 ? null : String(status) };
    case 'retry':
    case 'lost':
      return { status: answered, error: end.reason };
    case 'failed':
    case 'cut':
      return { status: answered, error: end.fault.code };
    case 'gone':
      return {
        status: answered,
        error: trail.cancelled && !gone ? endedHere(trail.cancelled).fault.code : 'client_gone',
      };
  }
}

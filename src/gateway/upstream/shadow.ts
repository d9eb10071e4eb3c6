import type {
  BodyRead,
  Exchange,
  UpstreamFailure,
  UpstreamHead,
  UpstreamSink,
} from '../../io/upstream-pool/types.ts';
import { verdictOfFailure } from './failure-verdict.ts';
import type { Call } from '../front/call.ts';
import type { Deployment, Verdict } from '../routing/deployment.ts';
import { ownRequestHeaders, requestHeaders } from './headers.ts';
import type { BodyShare } from '../admission/held-bytes.ts';
import type { Lease } from '../admission/lease.ts';
import { targetAt } from '../front/paths.ts';
import { isReadAsJson } from './read-as-json.ts';
import { spliceBody } from '../front/request-body.ts';
import type { ScannedBody } from '../front/request-body.ts';
import { Tail } from '../reply/tail.ts';
import { findUsage } from '../reply/usage.ts';
import type { Usage } from '../reply/usage.ts';

/**
 * What became of a copy. Sent: `done`; `refused`, by a status of 400 or above; `failed`, the engine broke; `yielded` its
 * slot to a request; `cut`, its reply was too long or took too long; `stopped`, the gateway ends. Not sent: `busy`, no
 * slot was free; `no_memory`, for its body.
 */
export type ShadowOutcome =
  | 'done'
  | 'refused'
  | 'failed'
  | 'yielded'
  | 'cut'
  | 'stopped'
  | 'busy'
  | 'no_memory';

/** How a copy went. Seconds from its sending; null for what did not come. */
export interface ShadowEnd {
  readonly outcome: ShadowOutcome;
  readonly seconds: number;
  readonly firstSeconds: number | null;
  readonly usage: Usage | null;
}

export const shadowBounds = { replyBytes: 16 * 1024 * 1024, ms: 600_000 } as const;

export interface ShadowWork {
  readonly call: Call;
  readonly body: ScannedBody;
  readonly deployment: Deployment;
  /** Memory for the body, given back at the end. */
  readonly share: BodyShare;
  readonly after: (ms: number, task: () => void) => () => void;
  /** Called once. */
  readonly onEnd: (end: ShadowEnd) => void;
}

/** One copy of a request under way; its reply is read and dropped. The client knows nothing of it and waits for nothing. */
export class Shadow implements UpstreamSink {
  readonly #work: ShadowWork;
  readonly #lease: Lease;
  readonly #exchange: Exchange;
  readonly #tail: Tail;
  readonly #sentAt = performance.now();
  readonly #callOff: () => void;
  #firstAt: number | null = null;
  #status = 0;
  #bytes = 0;
  #verdict: Verdict = 'untold';
  #ended = false;

  constructor(work: ShadowWork, lease: Lease) {
    this.#work = work;
    this.#lease = lease;
    const { call, body } = work;
    const { instance } = lease;
    this.#tail = new Tail(call.endpoint.usageInStream ? 0 : 1024);
    const headers = requestHeaders(call.inbound.rawHeaders, {
      key: instance.key,
      dialect: call.endpoint.dialect,
      traced: false,
      json: isReadAsJson(call),
    });
    this.#callOff = work.after(shadowBounds.ms, () => this.end('cut'));
    this.#exchange = instance.pool.send(
      {
        method: call.inbound.method,
        path: targetAt(instance, call),
        headers: [...headers, ...ownRequestHeaders(call.id, null), 'x-berth-shadow', '1'],
        body: spliceBody(body, instance.upstream),
      },
      this,
    );
  }

  onHead({ status }: UpstreamHead): void {
    this.#status = status;
    this.#verdict = status < 500 || status === 501 || status === 503 ? 'answered' : 'erred';
  }

  onBody(read: BodyRead): void {
    this.#firstAt ??= performance.now();
    this.#tail.push(read);
    this.#bytes += read.raw.length;
    if (this.#bytes > shadowBounds.replyBytes) this.end('cut');
  }

  onEnd(): void {
    this.#finish(this.#status < 400 ? 'done' : 'refused');
  }

  onFail({ kind }: UpstreamFailure): void {
    this.#verdict = verdictOfFailure(kind);
    this.#finish('failed');
  }

  /** Cuts it and gives its slot back before this returns. */
  end(outcome: 'yielded' | 'cut' | 'stopped'): void {
    if (this.#ended) return;
    this.#exchange.abort();
    this.#finish(outcome);
  }

  #finish(outcome: ShadowOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#callOff();
    this.#work.share.release();
    this.#work.deployment.judge(this.#lease.instance, this.#verdict);
    this.#lease[Symbol.dispose]();
    this.#work.onEnd({
      outcome,
      seconds: (performance.now() - this.#sentAt) / 1000,
      firstSeconds: this.#firstAt === null ? null : (this.#firstAt - this.#sentAt) / 1000,
      usage: outcome === 'done' ? findUsage(this.#tail.text()) : null,
    });
  }
}

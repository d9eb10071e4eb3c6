import { usualLimits } from '../../io/http-server/limits.ts';
import { ApiError } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';
import { Attempt, clientStalled } from './attempt.ts';
import type { AttemptEnd, AttemptPorts } from './attempt.ts';
import { faultOf } from './attempt-fault.ts';
import { ClientGone, enterLine, leaveLine } from '../front/call.ts';
import type { Call } from '../front/call.ts';
import type { Deployment } from '../routing/deployment.ts';
import { noInstance } from '../reply/faults.ts';
import type { Instance } from '../routing/instance.ts';
import type { KeyRefusals } from './key-refusals.ts';
import type { Lease } from '../admission/lease.ts';
import { requireAtEngine } from './rights-at-engine.ts';
import { account } from '../accounts/account.ts';
import type { Meter } from '../reply/meter.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { StoredResponses } from '../stored/stored-responses.ts';

const longestJitterMs = 25;

export interface ForwardContext {
  readonly meter: Meter;
  readonly after: (ms: number, task: () => void) => () => void;
  readonly stored: StoredResponses;
  readonly keyRefusals: KeyRefusals;
  readonly snapshot: Pick<Snapshot, 'config' | 'keyring' | 'routes'>;
}

/** The engine went away before it answered, and no other one of its deployment is there to be asked. */
export class EngineLost extends ApiError {}

/** Called once, when all that the request was asked for is over: null, or what became of it, an ApiError or ClientGone as a rule. */
export type OnServed = (error: unknown) => void;

/**
 * Sends the request to the leased instance and passes the reply on; tries another instance only as long as nothing has
 * reached the client. Tells ApiError when there is nothing to pass on, ClientGone when the client left. Does not throw.
 */
export function forward(
  call: Call,
  { deployment, lease, context }: { deployment: Deployment; lease: Lease; context: ForwardContext },
  served: OnServed,
): void {
  new Forwarding({ call, deployment, context, tried: [lease.instance], only: false }, served).send(lease);
}

/** Sends the request to the leased instance and to no other. Tells as `forward` does. */
export function forwardOnly(
  call: Call,
  { deployment, lease, context }: { deployment: Deployment; lease: Lease; context: ForwardContext },
  served: OnServed,
): void {
  new Forwarding({ call, deployment, context, tried: [...deployment.instances], only: true }, served).send(
    lease,
  );
}

interface Work {
  readonly call: Call;
  readonly deployment: Deployment;
  readonly context: ForwardContext;
  /** Instances that are not asked again. */
  readonly tried: Instance[];
  readonly only: boolean;
}

/**
 * One request's attempts, one after the other. No promise and no closure for the usual one that goes well: this is done for every
 * request, and its end follows in the very call in which the reply has ended.
 */
class Forwarding implements AttemptPorts {
  readonly stored: StoredResponses;
  readonly after: ForwardContext['after'];
  readonly #work: Work;
  readonly #served: OnServed;
  #lease: Lease | null = null;

  constructor(work: Work, served: OnServed) {
    this.stored = work.context.stored;
    this.after = work.context.after;
    this.#work = work;
    this.#served = served;
  }

  send(lease: Lease): void {
    const { call, deployment, tried } = this.#work;
    this.#lease = lease;
    if (!tried.includes(lease.instance)) tried.push(lease.instance);
    try {
      if (!call.gone && !call.trail.cancelled) {
        this.#requireRights(lease.instance);
        new Attempt(call, lease, this).send();
        return;
      }
      deployment.judge(lease.instance, 'untold');
    } catch (error) {
      this.#giveBack();
      this.#served(error);
      return;
    }
    // Nobody wants it any more.
    this.#giveBack();
    this.#finish({ kind: 'gone', aborted: false });
  }

  onEnd(attempt: Attempt, end: AttemptEnd): void {
    const { call, only } = this.#work;
    try {
      this.#conclude(attempt, end);
    } catch (error) {
      this.#giveBack();
      this.#served(error);
      return;
    }
    this.#giveBack();
    if (end.kind === 'lost' && end.reason === 'reset') call.resets += 1;
    if (end.kind === 'retry') this.#again(end.reason, end.lease);
    // A request that breaks its engine is let loose on one more, not on all of them.
    else if (end.kind === 'lost' && call.resets <= 1 && !only) void this.#elsewhere(end);
    else this.#finish(end);
  }

  other(): Lease | null {
    const { call, deployment, tried } = this.#work;
    const other = deployment.retries.allows ? deployment.acquireOther(tried, call.choice) : null;
    if (other) deployment.retries.spend();
    return other;
  }

  retryAfter(): number {
    return this.#work.deployment.retryAfter();
  }

  noInstance(): ApiFault {
    const { deployment } = this.#work;
    return noInstance(deployment, deployment.retryAfter()).fault;
  }

  keyRefused(status: number): void {
    if (this.#lease) this.#work.context.keyRefusals.note(this.#lease.instance, status);
  }

  clientMs(): number {
    return this.#work.context.snapshot.config.limits.clientMs ?? usualLimits.unreadMs;
  }

  #requireRights(instance: Instance): void {
    const { call, context, deployment } = this.#work;
    try {
      requireAtEngine(call, instance, context.snapshot);
    } catch (error) {
      deployment.judge(instance, 'untold');
      throw error;
    }
  }

  #conclude(attempt: Attempt, end: AttemptEnd): void {
    const { call, deployment } = this.#work;
    if (this.#lease) deployment.judge(this.#lease.instance, attempt.verdict);
    if (this.#lease && deployment.takeover)
      deployment.takeover.note(this.#lease.instance, faultOf(end), attempt.ttftMs);
    if (end.kind === 'done') deployment.noteService(performance.now() - call.leasedAt);
    account(call, attempt, end);
  }

  #giveBack(): void {
    const lease = this.#lease;
    this.#lease = null;
    lease?.[Symbol.dispose]();
  }

  /**
   * A slot at another instance for a request that was lost with its own, after a wait if need be. Not charged to the budget for retries:
   * what a dead instance held weighs on nobody any more.
   */
  async #elsewhere(end: AttemptEnd & { readonly kind: 'lost' }): Promise<void> {
    const { call, deployment, tried } = this.#work;
    let lease: Lease | null = null;
    try {
      if (call.gone) throw new ClientGone();
      lease = await deployment.acquireInstead(tried, {
        choice: call.choice,
        holdMs: call.holdMs,
        waitedMs: call.waitedMs,
        onWait: (phase) => enterLine(call, phase, performance.now()),
      });
    } catch (error) {
      this.#served(error);
      return;
    }
    leaveLine(call, performance.now());
    if (lease) this.#again(end.reason, lease);
    else this.#finish(end);
  }

  /** Many requests that fail at one instance at the same moment do not all reach the next one at the same moment. */
  #again(reason: string, lease: Lease): void {
    this.#work.context.meter.retried(reason);
    setTimeout(() => this.send(lease), Math.random() * longestJitterMs);
  }

  #finish(end: AttemptEnd): void {
    const { call, context } = this.#work;
    this.#served(outcomeOf(call, end, context.meter));
  }
}

function abortCause({ gone, trail }: Call): string {
  if (trail.cancelled !== null && !gone) return trail.cancelled === 'operator' ? 'operator' : 'draining';
  return trail.code === clientStalled ? 'client-stalled' : 'client';
}

/** What is told of a request that nobody is asked for any more. */
function outcomeOf(call: Call, end: AttemptEnd, meter: Meter): Error | null {
  switch (end.kind) {
    case 'done':
      call.status = end.status;
      return null;
    case 'retry':
      return null;
    case 'lost':
      return new EngineLost(end.fault);
    case 'failed':
      return new ApiError(end.fault);
    case 'cut':
      // The status that the client saw was good; what is counted is what became of it.
      call.status = end.fault.status;
      meter.aborted(call.trail.cancelled !== null && !call.gone ? abortCause(call) : 'upstream');
      return null;
    case 'gone':
      if (end.aborted) meter.aborted(abortCause(call));
      return new ClientGone();
  }
}

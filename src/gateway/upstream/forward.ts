import { ApiError } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';
import { Attempt, clientStalled } from './attempt.ts';
import type { AttemptEnd, AttemptPorts } from './attempt.ts';
import { ClientGone } from '../front/call.ts';
import type { Call } from '../front/call.ts';
import type { Deployment } from '../routing/deployment.ts';
import { noInstance } from '../reply/faults.ts';
import type { Instance } from '../routing/instance.ts';
import type { Lease } from '../admission/lease.ts';
import { account } from '../accounts/account.ts';
import type { Meter } from '../reply/meter.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { StoredResponses } from '../stored/stored-responses.ts';

const longestJitterMs = 25;
const usualClientMs = 600_000;

export interface ForwardContext {
  readonly meter: Meter;
  readonly retries: RetryBudget;
  readonly after: (ms: number, task: () => void) => () => void;
  readonly stored: StoredResponses;
  readonly snapshot: Pick<Snapshot, 'config'>;
}

/**
 * Sends the request to the leased instance and passes the reply on; tries another instance only as long as nothing has
 * reached the client. Throws ApiError when there is nothing to pass on, ClientGone when the client left.
 */
export function forward(
  call: Call,
  deployment: Deployment,
  first: Lease,
  context: ForwardContext,
): Promise<void> {
  return attempts({ call, deployment, context, tried: [], only: false }, first);
}

/** Sends the request to the leased instance and to no other. Throws as `forward` does. */
export function forwardOnly(
  call: Call,
  deployment: Deployment,
  lease: Lease,
  context: ForwardContext,
): Promise<void> {
  return attempts({ call, deployment, context, tried: [...deployment.instances], only: true }, lease);
}

interface Forwarding {
  readonly call: Call;
  readonly deployment: Deployment;
  readonly context: ForwardContext;
  /** Instances that are not asked again. */
  readonly tried: Instance[];
  readonly only: boolean;
}

async function attempts(forwarding: Forwarding, first: Lease): Promise<void> {
  const { call, deployment, context, tried, only } = forwarding;
  let resets = 0;
  let next: Lease | null = first;
  while (next) {
    if (next !== first) await jitter();
    tried.push(next.instance);
    let end: AttemptEnd = { kind: 'gone', aborted: false };
    // No `using`: what it is compiled to costs more than the rest of this function.
    try {
      const attempt = begin(forwarding, next);
      if (attempt) {
        end = await attempt.ended;
        conclude(forwarding, next, attempt, end);
      }
    } finally {
      next[Symbol.dispose]();
    }
    if (end.kind === 'lost' && end.reason === 'reset') resets += 1;
    next = end.kind === 'retry' ? end.lease : null;
    // A request that breaks its engine is let loose on one more, not on all of them.
    if (end.kind === 'lost' && resets <= 1 && !only) next = await leaseElsewhere(call, deployment, tried);
    if (next && (end.kind === 'retry' || end.kind === 'lost')) context.meter.retried(end.reason);
    if (!next) finish(call, end, context.meter);
  }
}

/**
 * A slot at another instance for a request that was lost with its own, after a wait if need be; null when there is no
 * other. Not charged to the budget for retries: what a dead instance held weighs on nobody any more.
 */
function leaseElsewhere(
  call: Call,
  deployment: Deployment,
  tried: readonly Instance[],
): Promise<Lease> | Lease | null {
  if (call.gone) throw new ClientGone();
  return deployment.acquireInstead(tried, {
    choice: call.choice,
    holdMs: call.holdMs,
    onWait: (phase) => (call.phase = phase),
  });
}

/** Many requests that fail at one instance at the same moment do not all reach the next one at the same moment. */
function jitter(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * longestJitterMs));
}

/** Null for a request that nobody wants any more. */
function begin(forwarding: Forwarding, lease: Lease): Attempt | null {
  const { call, deployment } = forwarding;
  if (!call.gone && !call.trail.cancelled) return new Attempt(call, lease, new Ports(forwarding));
  deployment.judge(lease.instance, 'untold');
  return null;
}

function conclude({ call, deployment }: Forwarding, lease: Lease, attempt: Attempt, end: AttemptEnd): void {
  deployment.judge(lease.instance, attempt.verdict);
  if (end.kind === 'done') deployment.noteService(performance.now() - call.leasedAt);
  account(call, attempt, end);
}

/** A class, since closures would be made anew for each request. */
class Ports implements AttemptPorts {
  readonly stored: StoredResponses;
  readonly after: ForwardContext['after'];
  readonly #forwarding: Forwarding;

  constructor(forwarding: Forwarding) {
    this.stored = forwarding.context.stored;
    this.after = forwarding.context.after;
    this.#forwarding = forwarding;
  }

  other(): Lease | null {
    const { call, context, deployment, tried } = this.#forwarding;
    const other = context.retries.allows ? deployment.acquireOther(tried, call.choice) : null;
    if (other) context.retries.spend();
    return other;
  }

  retryAfter(): number {
    return this.#forwarding.deployment.retryAfter();
  }

  noInstance(): ApiFault {
    const { deployment } = this.#forwarding;
    return noInstance(deployment.name, deployment.retryAfter()).fault;
  }

  clientMs(): number {
    return this.#forwarding.context.snapshot.config.limits.clientMs ?? usualClientMs;
  }
}

function abortCause({ trail }: Call): string {
  return trail.code === clientStalled ? 'client-stalled' : 'client';
}

function finish(call: Call, end: AttemptEnd, meter: Meter): void {
  const operator = call.trail.cancelled && !call.gone;
  switch (end.kind) {
    case 'done':
      call.status = end.status;
      return;
    case 'retry':
      return;
    case 'lost':
    case 'failed':
      throw new ApiError(end.fault);
    case 'cut':
      // The status that the client saw was good; what is counted is what became of it.
      call.status = end.fault.status;
      meter.aborted(operator ? 'operator' : 'upstream');
      return;
    case 'gone':
      if (end.aborted) meter.aborted(operator ? 'operator' : abortCause(call));
      throw new ClientGone();
  }
}

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
export async function forward(
  call: Call,
  deployment: Deployment,
  first: Lease,
  context: ForwardContext,
): Promise<void> {
  const tried = new Set<Instance>();
  let resets = 0;
  let next: Lease | null = first;
  while (next) {
    if (tried.size > 0) await jitter();
    tried.add(next.instance);
    const end = await attempt(call, deployment, next, tried, context);
    if (end.kind === 'lost' && end.reason === 'reset') resets += 1;
    next = end.kind === 'retry' ? end.lease : null;
    // A request that breaks its engine is let loose on one more, not on all of them.
    if (end.kind === 'lost' && resets <= 1) next = await leaseElsewhere(call, deployment, tried);
    if (next && (end.kind === 'retry' || end.kind === 'lost')) context.meter.retried(end.reason);
    if (!next) finish(call, end, context.meter);
  }
}

/** Sends the request to the leased instance and to no other. Throws as `forward` does. */
export async function forwardOnly(
  call: Call,
  deployment: Deployment,
  lease: Lease,
  context: ForwardContext,
): Promise<void> {
  const end = await attempt(call, deployment, lease, new Set(deployment.instances), context);
  finish(call, end, context.meter);
}

/**
 * A slot at another instance for a request that was lost with its own, after a wait if need be; null when there is no
 * other. Not charged to the budget for retries: what a dead instance held weighs on nobody any more.
 */
function leaseElsewhere(
  call: Call,
  deployment: Deployment,
  tried: ReadonlySet<Instance>,
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

async function attempt(
  call: Call,
  deployment: Deployment,
  lease: Lease,
  tried: ReadonlySet<Instance>,
  context: ForwardContext,
): Promise<AttemptEnd> {
  // No `using`: what it is compiled to costs more than the rest of this function.
  try {
    if (call.gone || call.trail.cancelled) {
      deployment.judge(lease.instance, 'untold');
      return { kind: 'gone', aborted: false };
    }
    const work = new Attempt(call, lease, new Ports(call, deployment, tried, context));
    const end = await work.ended;
    deployment.judge(lease.instance, work.verdict);
    if (end.kind === 'done') deployment.noteService(performance.now() - call.leasedAt);
    account(call, work, end);
    return end;
  } finally {
    lease[Symbol.dispose]();
  }
}

/** A class, since closures would be made anew for each request. */
class Ports implements AttemptPorts {
  readonly stored: StoredResponses;
  readonly after: ForwardContext['after'];
  readonly #call: Call;
  readonly #deployment: Deployment;
  readonly #tried: ReadonlySet<Instance>;
  readonly #context: ForwardContext;

  constructor(call: Call, deployment: Deployment, tried: ReadonlySet<Instance>, context: ForwardContext) {
    this.stored = context.stored;
    this.after = context.after;
    this.#call = call;
    this.#deployment = deployment;
    this.#tried = tried;
    this.#context = context;
  }

  other(): Lease | null {
    const { retries } = this.#context;
    const other = retries.allows ? this.#deployment.acquireOther(this.#tried, this.#call.choice) : null;
    if (other) retries.spend();
    return other;
  }

  retryAfter(): number {
    return this.#deployment.retryAfter();
  }

  noInstance(): ApiFault {
    return noInstance(this.#deployment.name, this.#deployment.retryAfter()).fault;
  }

  clientMs(): number {
    return this.#context.snapshot.config.limits.clientMs ?? usualClientMs;
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

import { ApiError } from '../domain/openai.ts';
import { Attempt } from './attempt.ts';
import type { AttemptEnd } from './attempt.ts';
import { ClientGone } from './call.ts';
import type { Call } from './call.ts';
import type { Deployment } from './deployment.ts';
import { noInstance } from './faults.ts';
import type { Instance } from './instance.ts';
import type { Lease } from './lease.ts';
import { account } from './account.ts';
import type { Meter } from './meter.ts';
import type { RetryBudget } from './retry-budget.ts';

const longestJitterMs = 25;

export interface ForwardContext {
  readonly meter: Meter;
  readonly retries: RetryBudget;
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
  let next: Lease | null = first;
  while (next) {
    using lease: Lease = next;
    if (tried.size > 0) await jitter();
    tried.add(lease.instance);
    const end = await attempt(call, deployment, lease, tried, context);
    if (end.kind === 'retry') context.meter.retried(end.reason);
    next = end.kind === 'retry' ? end.lease : null;
    finish(call, end, context.meter);
  }
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
  if (call.gone || call.trail.cancelled) {
    deployment.judge(lease.instance, 'untold');
    return { kind: 'gone' };
  }
  const work = new Attempt(call, lease, {
    other: () => {
      const other = context.retries.allows ? deployment.acquireOther(tried, call.choice) : null;
      if (other) context.retries.spend();
      return other;
    },
    retryAfter: () => deployment.retryAfter(),
    noInstance: () => noInstance(deployment.name, deployment.retryAfter()).fault,
  });
  const end = await work.ended;
  deployment.judge(lease.instance, work.verdict);
  if (end.kind === 'done') deployment.noteService(performance.now() - call.leasedAt);
  account(call, work, end);
  return end;
}

function finish(call: Call, end: AttemptEnd, meter: Meter): void {
  const operator = call.trail.cancelled && !call.gone;
  switch (end.kind) {
    case 'done':
      call.status = end.status;
      return;
    case 'retry':
      return;
    case 'failed':
      throw new ApiError(end.fault);
    case 'cut':
      // The status that the client saw was good; what is counted is what became of it.
      call.status = end.fault.status;
      meter.aborted(operator ? 'operator' : 'upstream');
      return;
    case 'gone':
      meter.aborted(operator ? 'operator' : 'client');
      throw new ClientGone();
  }
}

import { newSpanId, newTraceId, readTraceparent, writeTraceparent } from './traceparent.ts';

/** One request sent to one engine. Times are monotonic milliseconds. */
export interface AttemptSpan {
  readonly spanId: string;
  readonly instance: string;
  readonly url: string;
  /** The name that it was asked for by there; null: the one that the client sent. */
  readonly model: string | null;
  readonly startedAt: number;
  endedAt: number;
  /** Status of the engine's reply; null when none came. */
  status: number | null;
  /** Why it was no success. */
  error: string | null;
}

/** The trace of one request, filled in as it goes. */
export interface Trace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly sampled: boolean;
  readonly attempts: AttemptSpan[];
}

/**
 * Goes on with the trace that the client names, or begins one; then `sample` (0..1) of those are recorded.
 * Who sent a traceparent has decided that already.
 */
export function beginTrace(traceparent: string | undefined, sample: number, random: number): Trace {
  const given = readTraceparent(traceparent);
  return {
    traceId: given?.traceId ?? newTraceId(),
    spanId: newSpanId(),
    parentId: given?.parentId ?? null,
    sampled: given?.sampled ?? random < sample,
    attempts: [],
  };
}

/** Notes an attempt; the `traceparent` that the engine is to get. */
export function beginAttempt(
  trace: Trace,
  { now, ...to }: Pick<AttemptSpan, 'instance' | 'url' | 'model'> & { now: number },
): string {
  const spanId = newSpanId();
  if (trace.sampled)
    trace.attempts.push({
      spanId,
      ...to,
      startedAt: now,
      endedAt: now,
      status: null,
      error: null,
    });
  return writeTraceparent(trace.traceId, spanId, trace.sampled);
}

export function endAttempt(
  trace: Trace,
  how: { now: number; status: number | null; error: string | null },
): void {
  const span = trace.attempts.at(-1);
  if (span) Object.assign(span, { endedAt: how.now, status: how.status, error: how.error });
}

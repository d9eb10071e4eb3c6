import { randomBytes } from 'node:crypto';

/** Where a request stands in a distributed trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Span of whoever sent the request: 16 hex digits; null when the trace begins here. */
  readonly parentId: string | null;
  readonly sampled: boolean;
}

const header = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** What a `traceparent` header says; null when it is none, or is not valid. */
export function readTraceparent(text: string | undefined): TraceContext | null {
  const [, version, traceId = '', parentId = '', flags = ''] = header.exec(text?.trim() ?? '') ?? [];
  // Later versions may carry more behind; "ff" is forbidden, and so is an id of zeros.
  if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  if (version === '00' && (text?.trim().length ?? 0) !== 55) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function writeTraceparent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

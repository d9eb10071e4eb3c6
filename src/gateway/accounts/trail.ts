import type { Capture } from '../observe/capture.ts';
import type { Trace } from '../tracing/trace.ts';

/** An operator, or the time that is left to requests when the gateway ends (`shutdown`) or the address closes that they came by. */
export type EndedBy = 'operator' | 'shutdown' | 'address';

/** What is noted of one request on its way, for log, live view and traces. Filled in as it goes; costs one object. */
export interface Trail {
  /** Milliseconds since 1970. */
  readonly arrivedMs: number;
  stream: boolean;
  bytesIn: number;
  deployment: string | null;
  /** Of the latest attempt. */
  instance: string | null;
  attempts: number;
  /** When it stood in line, in monotonic milliseconds; null for the many that never did. */
  waits: { readonly from: number; readonly to: number }[] | null;
  /** Monotonic milliseconds; null until there is one. */
  leasedAt: number | null;
  sentAt: number | null;
  firstAt: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  tokenSource: 'engine' | 'estimate' | null;
  /** The reply had begun and broke off. */
  cut: boolean;
  /** Code of the gateway's own error. */
  code: string | null;
  /** Who or what wants it ended beside its client. */
  cancelled: EndedBy | null;
  /** Null while tracing is off. */
  trace: Trace | null;
  /** Null for the many that are not captured. */
  capture: Capture | null;
}

export function newTrail(arrivedMs: number): Trail {
  return {
    arrivedMs,
    stream: false,
    bytesIn: 0,
    deployment: null,
    instance: null,
    attempts: 0,
    waits: null,
    leasedAt: null,
    sentAt: null,
    firstAt: null,
    inputTokens: null,
    outputTokens: null,
    tokenSource: null,
    cut: false,
    code: null,
    cancelled: null,
    trace: null,
    capture: null,
  };
}

import type { Call } from '../front/call.ts';
import type { AttemptSpan, Trace } from './trace.ts';

/** A span in OTLP's JSON encoding (opentelemetry-proto, trace/v1): ids in hex, times in nanoseconds as text. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 1 | 2 | 3;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code: 0 | 2; readonly message?: string };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

const kinds = { internal: 1, server: 2, client: 3 } as const;

/**
 * The request as the client saw it, each wait in line, and each attempt at an engine, with the attributes of the
 * GenAI conventions. No prompt, no reply. `now`: monotonic milliseconds of its end.
 */
export function spansOf(call: Call, trace: Trace, now: number): OtlpSpan[] {
  const { trail } = call;
  // All durations come from the monotonic clock; wall time only places the beginning.
  function at(time: number): string {
    return nanoseconds(trail.arrivedMs + (time - call.startedAt));
  }
  const { traceId } = trace;
  const name = `${call.endpoint.operation} ${call.model || 'unknown'}`;
  const shared = { traceId, parentSpanId: trace.spanId };
  const request: OtlpSpan = {
    traceId,
    spanId: trace.spanId,
    ...(trace.parentId === null ? {} : { parentSpanId: trace.parentId }),
    name,
    kind: kinds.server,
    startTimeUnixNano: at(call.startedAt),
    endTimeUnixNano: at(now),
    attributes: requestAttributes(call),
    // Of a server's span a 4xx is the client's fault and no error (OpenTelemetry, HTTP spans).
    status: statusOf(call.status < 500 ? null : (trail.code ?? String(call.status))),
  };
  const queue = waitsOf(trail).map(({ from, to }, i): OtlpSpan => ({
    ...shared,
    spanId: queueSpanId(trace.spanId, i),
    name: 'queue',
    kind: kinds.internal,
    startTimeUnixNano: at(from),
    endTimeUnixNano: at(to),
    attributes: attributes({ 'berth.deployment': trail.deployment }),
    status: { code: 0 },
  }));
  const attempts = trace.attempts.map((span): OtlpSpan => ({
    ...shared,
    spanId: span.spanId,
    name: span.model === null ? name : `${call.endpoint.operation} ${span.model}`,
    kind: kinds.client,
    startTimeUnixNano: at(span.startedAt),
    endTimeUnixNano: at(span.endedAt),
    attributes: attemptAttributes(call, span),
    status: statusOf(span.error),
  }));
  return [request, ...queue, ...attempts];
}

function requestAttributes(call: Call): OtlpAttribute[] {
  const { trail } = call;
  return attributes({
    'gen_ai.operation.name': call.endpoint.operation,
    'gen_ai.provider.name': 'berth',
    'gen_ai.request.model': call.model,
    'gen_ai.usage.input_tokens': trail.inputTokens,
    'gen_ai.usage.output_tokens': trail.outputTokens,
    'http.request.method': call.inbound.method,
    'http.response.status_code': call.status,
    'url.path': call.endpoint.path,
    'error.type': call.status < 400 ? null : (trail.code ?? String(call.status)),
    'berth.request.id': call.id,
    'berth.key': call.key,
    'berth.deployment': trail.deployment,
    'berth.ttft_ms': trail.firstAt === null ? null : Math.round(trail.firstAt - call.startedAt),
  });
}

function attemptAttributes(call: Call, span: AttemptSpan): OtlpAttribute[] {
  const { hostname, port, protocol } = new URL(span.url);
  return attributes({
    'gen_ai.operation.name': call.endpoint.operation,
    'gen_ai.provider.name': 'berth',
    'gen_ai.request.model': span.model ?? call.model,
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    'http.response.status_code': span.status,
    'error.type': span.error,
    'berth.instance': span.instance,
  });
}

function attributes(values: Readonly<Record<string, string | number | null>>): OtlpAttribute[] {
  return Object.entries(values).flatMap(([key, value]): OtlpAttribute[] => {
    if (value === null) return [];
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }];
  });
}

function statusOf(error: string | null): OtlpSpan['status'] {
  return error === null ? { code: 0 } : { code: 2, message: error };
}

/** Whoever got a slot at once has waited for no time at all. Ids are there for no more than these. */
function waitsOf({ waits, leasedAt }: Call['trail']): readonly { from: number; to: number }[] {
  if (waits !== null) return waits.slice(0, mostWaits);
  return leasedAt === null ? [] : [{ from: leasedAt, to: leasedAt }];
}

const mostWaits = 15;

/** Ids more without asking for randomness: the request's own with its last digit changed. */
function queueSpanId(spanId: string, i: number): string {
  const last = (Number.parseInt(spanId.slice(15), 16) + 1 + i) % 16;
  return spanId.slice(0, 15) + last.toString(16);
}

/** Milliseconds since 1970 as nanoseconds: more digits than a number holds. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`;
}

import type { AccessRecord } from '../../domain/access-record.ts';
import type { CapturedRequest } from '../../domain/captured-request.ts';
import type { ObserveConfig } from '../../domain/observe-config.ts';
import { openBatchedFile } from '../../io/batched-file.ts';
import type { BatchedFile } from '../../io/batched-file.ts';
import type { World } from '../../io/world.ts';
import { accessRecord, accessText } from '../accounts/access-line.ts';
import { createLineGate, ownRecord } from '../accounts/own-line.ts';
import type { OwnAnswer } from '../accounts/own-line.ts';
import type { Call } from '../front/call.ts';
import { beginCapture } from './capture.ts';
import { createCaptureRing } from './capture-ring.ts';
import type { CaptureRing } from './capture-ring.ts';
import { createLiveTable } from './live-requests.ts';
import type { LiveTable } from './live-requests.ts';
import { startExporter } from '../tracing/exporter.ts';
import type { Exporter } from '../tracing/exporter.ts';
import { spansOf } from '../tracing/spans.ts';
import { beginTrace } from '../tracing/trace.ts';

type ObserverWorld = Pick<World, 'log' | 'http'>;

/** Who watches requests come and go, beside the counters: live table, access log, traces and captures. */
export interface Observer {
  readonly live: LiveTable;
  readonly captures: CaptureRing;
  readonly began: (call: Call) => void;
  /** Its body is there, and its model is known. */
  readonly read: (call: Call, body: Buffer) => void;
  readonly ended: (call: Call) => void;
  /** The gateway has answered by itself what never became a call. */
  readonly answered: (own: OwnAnswer) => void;
  /** Takes another configuration; what was noted under the old one is written. */
  readonly configure: (config: ObserveConfig) => void;
  /** Lines of the access log that could not be written. */
  readonly lostLines: () => number;
  /** Null while no trace was ever to be sent. */
  readonly spans: () => { readonly exported: number; readonly dropped: number } | null;
  readonly close: () => Promise<void>;
}

export function createObserver(world: ObserverWorld, first: ObserveConfig): Observer {
  const live = createLiveTable(() => performance.now());
  const captures = createCaptureRing(first.capture?.maxBytes ?? 0);
  let config = first;
  const log = replaceable<BatchedFile>();
  const exporter = replaceable<Exporter>();
  // One cannot hide the other.
  const gates = { refused: createLineGate(), served: createLineGate() };
  let lost = 0;
  let sent: { exported: number; dropped: number } | null = null;

  function open(): void {
    log.put(openLog(world, config.accessLog), (old) => (lost += old.lost()));
    exporter.put(openExporter(world, config.tracing), (old) => (sent = sum(sent, old.counts())));
  }
  function write(file: BatchedFile, record: AccessRecord): void {
    file.write(config.accessLog?.format === 'text' ? accessText(record) : JSON.stringify(record));
  }
  open();
  return {
    live,
    captures,
    began: (call) => {
      live.add(call);
      const { tracing } = config;
      if (tracing)
        call.trail.trace = beginTrace(call.inbound.header('traceparent'), tracing.sample, Math.random());
    },
    read: (call, body) => {
      const { capture } = config;
      if (capture && Math.random() < capture.sample)
        call.trail.capture = beginCapture(call.inbound.rawHeaders, body, capture.bodyBytes);
    },
    ended: (call) => {
      live.remove(call);
      const { trace, capture } = call.trail;
      if (capture) captures.add({ ...aboutCall(call), ...capture.messages() });
      const file = log.now();
      if (!file && !trace?.sampled) return;
      const now = performance.now();
      if (trace?.sampled) exporter.now()?.add(spansOf(call, trace, now));
      if (!file) return;
      write(file, accessRecord(call, now));
    },
    answered: (own) => {
      const file = log.now();
      const leftOut = file && gates[own.code === null ? 'served' : 'refused'].pass(performance.now());
      if (file && leftOut !== null) write(file, ownRecord(own, leftOut, Date.now()));
    },
    configure: (next) => {
      const before = config;
      config = next;
      captures.resize(next.capture?.maxBytes ?? 0);
      if (!same(before.accessLog, next.accessLog) || !same(before.tracing, next.tracing)) open();
    },
    lostLines: () => lost + (log.now()?.lost() ?? 0),
    spans: () => sum(sent, exporter.now()?.counts() ?? null),
    close: async () => {
      await Promise.all([log.close(), exporter.close()]);
    },
  };
}

function aboutCall({
  id,
  key,
  endpoint,
  model,
  status,
  trail,
}: Call): Omit<CapturedRequest, 'request' | 'reply'> {
  return {
    id,
    at: new Date(trail.arrivedMs).toISOString(),
    key,
    endpoint: endpoint.path,
    model,
    instance: trail.instance,
    status,
    code: trail.code,
  };
}

interface Closable {
  readonly close: () => Promise<void>;
}

/** One thing at a time, each closed in its own time when the next is put in its place. */
function replaceable<Of extends Closable>(): {
  now: () => Of | null;
  put: (next: Of | null, onClosed: (old: Of) => void) => void;
  close: () => Promise<void>;
} {
  let current: Of | null = null;
  let whenClosed: ((old: Of) => void) | null = null;
  const closing = new Set<Promise<void>>();
  function retire(): void {
    const old = current;
    const tell = whenClosed;
    current = null;
    if (!old) return;
    const closed = old.close().finally(() => {
      tell?.(old);
      closing.delete(closed);
    });
    closing.add(closed);
  }
  return {
    now: () => current,
    put: (next, onClosed) => {
      retire();
      current = next;
      whenClosed = onClosed;
    },
    close: async () => {
      retire();
      await Promise.all(closing);
    },
  };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

type Counts = { readonly exported: number; readonly dropped: number } | null;

function sum(one: Counts, other: Counts): { exported: number; dropped: number } | null {
  if (!one || !other) return one ?? other;
  return { exported: one.exported + other.exported, dropped: one.dropped + other.dropped };
}

function openLog(world: ObserverWorld, config: ObserveConfig['accessLog']): BatchedFile | null {
  if (!config) return null;
  let told = false;
  return openBatchedFile(config.path, {
    maxBytes: config.maxBytes,
    keep: config.keep,
    onFault: (error) => {
      if (!told) world.log.error('The access log cannot be written.', { reason: String(error) });
      told = true;
    },
  });
}

function openExporter(world: ObserverWorld, config: ObserveConfig['tracing']): Exporter | null {
  return config?.otlp ? startExporter(world.http, { url: config.otlp, service: config.service }) : null;
}

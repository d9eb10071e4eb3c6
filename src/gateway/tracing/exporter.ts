import type { Http } from '../../io/http.ts';
import { berthVersion } from '../../io/version.ts';
import type { OtlpSpan } from './spans.ts';

/** Sends spans to a collector by OTLP/HTTP in JSON. A collector that is away costs nothing but the spans. */
export interface Exporter {
  /** Never waits and never throws. */
  readonly add: (spans: readonly OtlpSpan[]) => void;
  readonly counts: () => { readonly exported: number; readonly dropped: number };
  /** Sends what is left, as long as the collector takes it. */
  readonly close: () => Promise<void>;
}

const mostWaiting = 4096;
const mostAtOnce = 512;
const timeoutMs = 5_000;

export function startExporter(
  http: Http,
  options: { readonly url: string; readonly service: string; readonly everyMs?: number },
): Exporter {
  const about = { service: options.service, version: berthVersion() };
  const waiting: OtlpSpan[] = [];
  let exported = 0;
  let dropped = 0;
  let busy: Promise<void> | null = null;

  let failed = false;
  async function send(): Promise<void> {
    const spans = waiting.splice(0, mostAtOnce);
    try {
      const { status } = await http.request(`${options.url.replace(/\/$/, '')}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload(about, spans)),
        timeoutMs,
      });
      failed = status < 200 || status >= 300;
    } catch {
      failed = true;
    }
    if (failed) dropped += spans.length;
    else exported += spans.length;
  }
  /** One request at a time: a collector that is slow must not gather connections of ours. */
  function flush(): Promise<void> {
    if (waiting.length > 0) busy ??= send().finally(() => (busy = null));
    return busy ?? Promise.resolve();
  }
  const timer = setInterval(() => void flush(), options.everyMs ?? 1_000);
  timer.unref();
  return {
    add: (spans) => {
      if (waiting.length + spans.length > mostWaiting) {
        dropped += spans.length;
        return;
      }
      waiting.push(...spans);
      if (waiting.length >= mostAtOnce) void flush();
    },
    counts: () => ({ exported, dropped }),
    close: async () => {
      clearInterval(timer);
      // What is under way, then the rest; a collector that is away is not waited for again and again.
      await busy;
      do await flush();
      while (waiting.length > 0 && !failed);
      dropped += waiting.splice(0).length;
    },
  };
}

function payload(
  { service, version }: { service: string; version: string },
  spans: readonly OtlpSpan[],
): unknown {
  const resource = {
    attributes: [
      { key: 'service.name', value: { stringValue: service } },
      { key: 'service.version', value: { stringValue: version } },
    ],
  };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'berth.gateway' }, spans }] }] };
}

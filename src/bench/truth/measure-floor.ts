import type { Calibration } from '../../domain/run/report.ts';
import { createTimedClient } from '../../io/timed-request.ts';
import type { Exchange } from '../../io/timed-request.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';
import { parseEventStream } from '../event-stream.ts';
import { monotonicMicroseconds } from '../../io/clock.ts';

const stamp = /"truth":"(\d+)"/;

/**
 * The client's own error at so many streams: how long after the truth server wrote an event the client stamped it.
 * Each stream reads one answer of 40 events, 20 ms apart. Nothing is subtracted from any figure; it is only reported.
 * Null when no answer came.
 */
export async function measureFloor(truthUrl: string, streams: number): Promise<Calibration | null> {
  const client = createTimedClient(truthUrl, monotonicMicroseconds);
  const model = JSON.stringify({ ttftMs: 40, itlMs: 20, tokens: 40 });
  const body = Buffer.from(JSON.stringify({ model, stream: true, messages: [{ content: 'Tell' }] }));
  const { signal } = new AbortController();
  const request = { path: '/v1/chat/completions', headers: {}, body, timeoutMs: 30_000, signal };
  try {
    const exchanges = await Promise.all(Array.from({ length: streams }, () => client.send(request)));
    const errors = sortedCopy(exchanges.flatMap(errorsOf));
    if (errors.length === 0) return null;
    return {
      streams,
      events: errors.length,
      errorP50Ms: percentile(errors, 0.5),
      errorP99Ms: percentile(errors, 0.99),
    };
  } finally {
    client.close();
  }
}

function errorsOf(exchange: Exchange): number[] {
  return parseEventStream(exchange.body).flatMap(({ at, data }) => {
    const written = stamp.exec(data)?.[1];
    return written === undefined ? [] : [(at - Number(written)) / 1000];
  });
}

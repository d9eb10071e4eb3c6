import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { StageSeries } from '../../domain/run/stage-series.ts';
import { extent } from '../../stats/extent.ts';
import { percentile } from '../../stats/percentile.ts';
import { eachEvent, tokensPerEvent } from './throughput.ts';

/** Parts of a stage's time; each at least so long, so that a rate is made of more than a request or two. */
const mostParts = 100;
const shortest = 1e6;
/** A chart needs no more: of very many requests each n-th is looked at, and rates and counts are taken n times. */
const mostLooked = 10_000;

/** A stage over its time, from its first request to the end of the last, warm-up and drain included. Null: it has none. */
export function stageSeries(records: readonly RecordRow[], strategy: Strategy): StageSeries | null {
  if (records.length === 0) return null;
  const every = Math.ceil(records.length / mostLooked);
  const looked = every === 1 ? records : records.filter((_, i) => i % every === 0);
  const start = extent(looked.map(({ sent, scheduled }) => sent ?? scheduled)).min;
  const end = extent(looked.map(({ done }) => done)).max;
  const parts = Math.max(1, Math.min(mostParts, Math.floor((end - start) / shortest)));
  if (end <= start) return null;
  const width = (end - start) / parts;
  const bins = Array.from({ length: parts }, newBin);
  const perEvent = tokensPerEvent(looked);
  const isOpen = strategy.kind === 'open';
  function binAt(at: number): Bin {
    return bins[Math.max(0, Math.min(parts - 1, Math.floor((at - start) / width)))] as Bin;
  }
  for (const record of looked) {
    const { sent, scheduled, done, firstToken, outcome } = record;
    spread(bins, { from: ((sent ?? scheduled) - start) / width, to: (done - start) / width });
    if (outcome !== 'ok' && outcome !== 'censored') {
      binAt(done).failed += 1;
      continue;
    }
    if (outcome === 'ok') binAt(done).done += 1;
    const from = isOpen ? scheduled : sent;
    if (firstToken !== null && from !== null) binAt(firstToken).ttft.push((firstToken - from) / 1000);
    let before: number | null = null;
    eachEvent(record, (at) => {
      const bin = binAt(at);
      bin.events += 1;
      if (before !== null) bin.itl.push((at - before) / 1000);
      before = at;
    });
  }
  const seconds = width / 1e6;
  return {
    every,
    points: bins.map((bin, i) => ({
      at: (start + (i + 0.5) * width) / 1e6,
      inFlight: bin.inFlight * every,
      outputTokensPerSecond: perEvent === null ? null : (bin.events * perEvent * every) / seconds,
      requestsPerSecond: (bin.done * every) / seconds,
      failed: bin.failed * every,
      ttftP50Ms: quantile(bin.ttft, 0.5),
      ttftP95Ms: quantile(bin.ttft, 0.95),
      itlP50Ms: quantile(bin.itl, 0.5),
      itlP99Ms: quantile(bin.itl, 0.99),
    })),
  };
}

interface Bin {
  /** Mean over its time. */
  inFlight: number;
  done: number;
  failed: number;
  events: number;
  readonly ttft: number[];
  readonly itl: number[];
}

function newBin(): Bin {
  return { inFlight: 0, done: 0, failed: 0, events: 0, ttft: [], itl: [] };
}

/** Adds a request to the parts in which it is in flight, by how much of each; times in parts. */
function spread(bins: readonly Bin[], { from, to }: { from: number; to: number }): void {
  const last = Math.min(bins.length - 1, Math.floor(to));
  for (let i = Math.max(0, Math.floor(from)); i <= last; i += 1)
    (bins[i] as Bin).inFlight += Math.max(0, Math.min(to, i + 1) - Math.max(from, i));
}

function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  return percentile(Float64Array.from(values).sort(), q);
}

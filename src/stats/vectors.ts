import { Histogram } from './histogram.ts';
import type { Labels, MetricFamily } from './prometheus.ts';

export interface Cell {
  value: number;
}

interface Vector<Of> {
  /** The series with these label values, in the order of the label names. Keep it: finding it again costs. */
  readonly at: (...values: string[]) => Of;
  readonly family: () => MetricFamily;
}

export interface VectorOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Series beyond this many are counted together under the label value "other". */
  readonly maxSeries?: number;
}

export function counters(options: VectorOptions): Vector<Cell> {
  const series = seriesOf(options, () => ({ value: 0 }));
  return {
    at: series.at,
    family: () => ({
      kind: 'counter',
      name: options.name,
      help: options.help,
      samples: [...series.all()].map(({ labels, of }) => ({ labels, value: of.value })),
    }),
  };
}

export function histograms(options: VectorOptions & { bounds: readonly number[] }): Vector<Histogram> {
  const series = seriesOf(options, () => new Histogram(options.bounds));
  return {
    at: series.at,
    family: () => ({
      kind: 'histogram',
      name: options.name,
      help: options.help,
      bounds: options.bounds,
      samples: [...series.all()].map(({ labels, of }) => of.sample(labels)),
    }),
  };
}

function seriesOf<Of>(options: VectorOptions, create: () => Of) {
  const known = new Map<string, { labels: Labels; of: Of }>();
  const maxSeries = options.maxSeries ?? 1000;
  function find(values: readonly string[]): Of {
    const key = values.join('\u0000');
    const found = known.get(key);
    if (found) return found.of;
    const others = options.labels.map(() => 'other');
    if (known.size >= maxSeries && key !== others.join('\u0000')) return find(others);
    const labels = Object.fromEntries(options.labels.map((label, i) => [label, values[i] ?? '']));
    const of = create();
    known.set(key, { labels, of });
    return of;
  }
  return { at: (...values: string[]) => find(values), all: () => known.values() };
}

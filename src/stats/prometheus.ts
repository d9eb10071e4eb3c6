/** Labels of one series: names in the order given, values as they are (escaped on writing). */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Cumulative counts are made on writing: `counts[i]` holds what fell into bucket i alone, the last one is over all bounds. */
export interface HistogramSample {
  readonly labels: Labels;
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

export type MetricFamily =
  | {
      readonly kind: 'counter' | 'gauge';
      readonly name: string;
      readonly help: string;
      readonly samples: readonly Sample[];
    }
  | {
      readonly kind: 'histogram';
      readonly name: string;
      readonly help: string;
      readonly bounds: readonly number[];
      readonly samples: readonly HistogramSample[];
    };

/** Content type of what `prometheusText` writes. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** The text exposition format 0.0.4. A family without samples is left out: an absent metric is unknown, not 0. */
export function prometheusText(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length === 0) continue;
    lines.push(`# HELP ${family.name} ${family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
    lines.push(`# TYPE ${family.name} ${family.kind}`);
    if (family.kind === 'histogram') {
      for (const sample of family.samples) histogramLines(family.name, family.bounds, sample, lines);
    } else {
      for (const sample of family.samples)
        lines.push(`${family.name}${labelText(sample.labels)} ${numberText(sample.value)}`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function histogramLines(
  name: string,
  bounds: readonly number[],
  sample: HistogramSample,
  lines: string[],
): void {
  let total = 0;
  for (let i = 0; i <= bounds.length; i += 1) {
    total += sample.counts[i] ?? 0;
    const le = i < bounds.length ? numberText(bounds[i] ?? 0) : '+Inf';
    lines.push(`${name}_bucket${labelText({ ...sample.labels, le })} ${total}`);
  }
  lines.push(`${name}_sum${labelText(sample.labels)} ${numberText(sample.sum)}`);
  lines.push(`${name}_count${labelText(sample.labels)} ${total}`);
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

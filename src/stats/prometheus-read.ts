const line = /^([A-Za-z_:][A-Za-z0-9_:]*)(\{.*\})?[ \t]+(\S+)/;
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** One series at one moment. */
export interface PrometheusRow {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All series by the whole name of their metric, from the Prometheus text format; lines that are not understood are left out. */
export function readPrometheusRows(text: string): Map<string, PrometheusRow[]> {
  const found = new Map<string, PrometheusRow[]>();
  for (const row of text.split('\n')) {
    if (row.startsWith('#')) continue;
    const [, name, labels = '', figure] = line.exec(row) ?? [];
    const value = Number(figure);
    if (name === undefined || Number.isNaN(value)) continue;
    const rows = found.get(name) ?? [];
    rows.push({ labels: labelsOf(labels), value });
    found.set(name, rows);
  }
  return found;
}

/** Sums of all series by metric name. */
export function readPrometheus(text: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, rows] of readPrometheusRows(text))
    sums.set(
      name,
      rows.reduce((sum, { value }) => sum + value, 0),
    );
  return sums;
}

function labelsOf(text: string): Record<string, string> {
  if (text === '') return {};
  return Object.fromEntries(
    [...text.matchAll(label)].map(([, name = '', value = '']) => [name, value.replace(/\\(["\\])/g, '$1')]),
  );
}

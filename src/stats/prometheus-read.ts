const line = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{.*\})?[ \t]+(\S+)/;

/** Sums of all series by metric name, from the Prometheus text format; lines that are not understood are left out. */
export function readPrometheus(text: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of text.split('\n')) {
    if (row.startsWith('#')) continue;
    const [, name, value] = line.exec(row) ?? [];
    const number = Number(value);
    if (name === undefined || Number.isNaN(number)) continue;
    sums.set(name, (sums.get(name) ?? 0) + number);
  }
  return sums;
}

/** Bytes for people: "4.8 GiB"; a dash where unknown. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit > 1 && value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** Milliseconds for people, in the two largest units: "3 d 4 h", "12 min". */
export function formatAge(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ];
  const at = units.findIndex(([, size]) => ms >= size);
  if (at < 0) return '0 s';
  const [unit, size] = units[at] as readonly [string, number];
  const [below, belowSize] = units[at + 1] ?? ['', 0];
  const rest = belowSize > 0 ? Math.floor((ms % size) / belowSize) : 0;
  const first = `${Math.floor(ms / size)} ${unit}`;
  return rest > 0 && unit !== 'min' ? `${first} ${rest} ${below}` : first;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Counts for people: "7.2 B", "135 M". */
export function formatCount(count: number): string {
  for (const [unit, size] of [
    ['T', 1e12],
    ['B', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (count >= size) return `${Number((count / size).toPrecision(3))} ${unit}`;
  return String(count);
}

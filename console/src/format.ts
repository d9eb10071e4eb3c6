/** Figures for people. An unknown value is a dash, never 0. */
export const unknown = '–';

export function bytes(value: number | null): string {
  if (value === null) return unknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** "3 d 4 h", "12 min", "45 s": the two largest units at most. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min`;
  return `${seconds} s`;
}

/** Three significant digits, without exponents: 1234, 123, 12.3, 1.23. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-GB', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  return value >= 10_000 ? `${figure(value / 1000)} s` : `${figure(value)} ms`;
}

export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? unknown : `${Math.round(share * 100)} %`;
}

/** Local date and time to the minute. */
export function moment(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** A model by its file's name where it is a path; names and addresses of repositories stay whole. */
export function modelName(model: string): string {
  return model.startsWith('/') ? (model.split('/').at(-1) ?? model) : model;
}

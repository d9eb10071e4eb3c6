import { escape, figure } from './markup.ts';

const width = 720;
const left = 96;
const right = 84;
const rowHeight = 34;
const top = 8;
const plot = width - left - right;

export interface Bar {
  readonly label: string;
  readonly value: number | null;
  /** Where the value would be if nothing were lost; null: no mark. */
  readonly ideal: number | null;
}

/** Horizontal bars from zero, with a mark for the ideal. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.flatMap((bar) => [bar.value ?? 0, bar.ideal ?? 0]), 0);
  const axis = axisOf(most);
  const rows = bars.map((bar, i) => {
    const y = top + i * rowHeight;
    const end = left + ((bar.value ?? 0) / axis.most) * plot;
    const ideal = bar.ideal === null ? '' : mark(left + (bar.ideal / axis.most) * plot, y);
    return (
      `${label(bar.label, y)}<rect class="bar" x="${left}" y="${y + 7}" width="${fixed(end - left)}" height="20" rx="3">` +
      `<title>${escape(bar.label)}: ${figure(bar.value)} ${escape(unit)}</title></rect>${ideal}` +
      `<text class="value" x="${fixed(end + 6)}" y="${y + 21}">${figure(bar.value)}</text>`
    );
  });
  return chart(`${title}, ${unit}`, bars.length, axis, rows);
}

export interface Range {
  readonly label: string;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly interval: readonly [number, number] | null;
}

/** A dot at p50 with its 95 % interval, a line to p99 with a tick at p95. */
export function rangeChart(title: string, unit: string, ranges: readonly Range[]): string {
  const axis = axisOf(Math.max(...ranges.map((range) => range.p99), 0));
  function x(value: number): string {
    return fixed(left + (value / axis.most) * plot);
  }
  const rows = ranges.map((range, i) => {
    const y = top + i * rowHeight + 17;
    const tip = `p50 ${figure(range.p50)}, p95 ${figure(range.p95)}, p99 ${figure(range.p99)} ${unit}`;
    const interval = range.interval
      ? `<line class="interval" x1="${x(range.interval[0])}" x2="${x(range.interval[1])}" y1="${y}" y2="${y}"/>`
      : '';
    return (
      `${label(range.label, y - 17)}<g><title>${escape(`${range.label}: ${tip}`)}</title>` +
      `<line class="range" x1="${x(range.p50)}" x2="${x(range.p99)}" y1="${y}" y2="${y}"/>${interval}` +
      `<line class="tick" x1="${x(range.p95)}" x2="${x(range.p95)}" y1="${y - 6}" y2="${y + 6}"/>` +
      `<line class="tick" x1="${x(range.p99)}" x2="${x(range.p99)}" y1="${y - 9}" y2="${y + 9}"/>` +
      `<circle class="dot" cx="${x(range.p50)}" cy="${y}" r="5"/>` +
      `<text class="value" x="${fixed(Number(x(range.p99)) + 8)}" y="${y + 4}">${figure(range.p99)}</text></g>`
    );
  });
  return chart(`${title}, ${unit}`, ranges.length, axis, rows);
}

interface Axis {
  readonly most: number;
  readonly ticks: readonly number[];
}

/** From zero in steps of 1, 2 or 5 times a power of ten, about five of them. */
export function axisOf(most: number): Axis {
  if (most <= 0) return { most: 1, ticks: [0, 1] };
  const power = 10 ** Math.floor(Math.log10(most / 5));
  const step = ([1, 2, 5, 10].find((each) => (each * power * 5) / most >= 1) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return { most: count * step, ticks: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

function chart(title: string, count: number, axis: Axis, rows: readonly string[]): string {
  const bottom = top + count * rowHeight;
  const grid = axis.ticks.map((tick) => {
    const x = fixed(left + (tick / axis.most) * plot);
    return (
      `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>` +
      `<text class="axis" x="${x}" y="${bottom + 16}">${tickText(tick)}</text>`
    );
  });
  return (
    `<figure><figcaption>${escape(title)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${bottom + 24}" role="img" aria-label="${escape(title)}">` +
    `${grid.join('')}${rows.join('')}</svg></figure>`
  );
}

function tickText(tick: number): string {
  return Number(tick.toPrecision(3)).toLocaleString('en-US');
}

function label(text: string, y: number): string {
  return `<text class="label" x="${left - 10}" y="${y + 21}">${escape(text)}</text>`;
}

function mark(x: number, y: number): string {
  return `<line class="ideal" x1="${fixed(x)}" x2="${fixed(x)}" y1="${y + 3}" y2="${y + 31}"><title>linear</title></line>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

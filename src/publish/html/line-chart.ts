import { axisOf } from './charts.ts';
import { escape, figure } from './markup.ts';

const width = 720;
const height = 220;
const left = 64;
const right = 16;
const top = 26;
const bottom = 24;

export interface Line {
  readonly label: string;
  /** Pieces that are drawn apart; x in seconds. */
  readonly parts: readonly (readonly { x: number; y: number }[])[];
}

/** Lines over the time of a run, from zero; the second and later ones are dashed, so that they differ without colour. */
export function lineChart(title: string, unit: string, lines: readonly Line[]): string {
  const points = lines.flatMap(({ parts }) => parts.flat());
  const across = axisOf(Math.max(...points.map(({ x }) => x), 0));
  const up = axisOf(Math.max(...points.map(({ y }) => y), 0));
  function at({ x, y }: { x: number; y: number }): string {
    const h = left + (x / across.most) * (width - left - right);
    const v = top + (1 - y / up.most) * (height - top - bottom);
    return `${h.toFixed(1)},${v.toFixed(1)}`;
  }
  const grid = up.ticks.map((tick) => {
    const [, y = ''] = at({ x: 0, y: tick }).split(',');
    return (
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>` +
      `<text class="label" x="${left - 8}" y="${Number(y) + 4}">${tickText(tick)}</text>`
    );
  });
  const seconds = across.ticks.map((tick) => {
    const [x = ''] = at({ x: tick, y: 0 }).split(',');
    return `<text class="axis" x="${x}" y="${height - 6}">${tickText(tick)} s</text>`;
  });
  const drawn = lines.map(({ label, parts }, i) => {
    const most = Math.max(...parts.flat().map(({ y }) => y));
    const paths = parts
      .filter((part) => part.length > 1)
      .map((part) => `<polyline class="line line${Math.min(i, 1)}" points="${part.map(at).join(' ')}"/>`);
    const key =
      `<line class="line line${Math.min(i, 1)}" x1="${left + i * 170}" x2="${left + 22 + i * 170}" y1="12" y2="12"/>` +
      `<text x="${left + 28 + i * 170}" y="16">${escape(label)}</text>`;
    const tip = `${label}: at most ${figure(most)} ${unit}`;
    return `<g><title>${escape(tip)}</title>${paths.join('')}${key}</g>`;
  });
  return (
    `<figure><figcaption>${escape(`${title}, ${unit}`)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(`${title}, ${unit}`)}">` +
    `${grid.join('')}${seconds.join('')}${drawn.join('')}</svg></figure>`
  );
}

function tickText(tick: number): string {
  return Number(tick.toPrecision(3)).toLocaleString('en-US');
}

import type { Report } from '../../domain/run/report.ts';
import { seriesCharts } from '../../domain/run/stage-series.ts';
import { lineChart } from './line-chart.ts';

/** The client's side of the run over its time, one part a stage; empty where no stage was long enough to draw. */
export function overTime(report: Report): string {
  const stages = report.stages.map(({ series }) => series?.points ?? []);
  const charts = seriesCharts.flatMap(({ title, unit, lines }) => {
    const drawn = lines.map(([label, key]) => ({
      label,
      parts: stages.map((points) =>
        points.flatMap((point) => (point[key] === null ? [] : [{ x: point.at, y: point[key] }])),
      ),
    }));
    const shown = drawn.filter(({ parts }) => parts.some((part) => part.length > 1));
    return shown.length === 0 ? [] : [lineChart(title, unit, shown)];
  });
  if (charts.length === 0) return '';
  const every = Math.max(...report.stages.map(({ series }) => series?.every ?? 1));
  const sample = every === 1 ? '' : ` Each ${every}th request was looked at.`;
  return (
    `<h2>Over time</h2>\n<p class="lead">Parts of a second or more, warm-up and drain included; each figure is of what came in its part.${sample}</p>\n` +
    `<div class="charts">${charts.join('')}</div>`
  );
}

import type { ReactNode } from 'react';
import type { Report } from '../../../src/domain/run/report.ts';
import type { ServerPoint } from '../../../src/domain/run/server-stage.ts';
import { figure, unknown } from '../format.ts';
import { Chart } from './chart.tsx';
import type { Series } from './chart.tsx';

type Key = Exclude<keyof ServerPoint, 'at'>;

const charts: readonly {
  title: string;
  unit: string;
  lines: readonly (readonly [label: string, key: Key, factor: number])[];
}[] = [
  {
    title: 'Requests in the engine',
    unit: 'requests',
    lines: [
      ['running', 'running', 1],
      ['waiting', 'waiting', 1],
    ],
  },
  {
    title: 'Output counted by the engine',
    unit: 'tokens/s',
    lines: [['output', 'outputTokensPerSecond', 1]],
  },
  {
    title: 'In use',
    unit: '%',
    lines: [
      ['KV cache', 'kvUse', 100],
      ['GPU', 'gpuUtilization', 100],
    ],
  },
  { title: 'Processor', unit: 'cores', lines: [['engine', 'cores', 1]] },
  { title: 'Power of the GPUs', unit: 'W', lines: [['power', 'watts', 1]] },
];

/** What was seen of the server over the time of the run; a figure that it does not tell has no line. */
export function ServerCharts({ report }: { report: Report }): ReactNode {
  const points = pointsOf(report);
  const shown = charts
    .map((chart) => ({ ...chart, series: seriesOf(points, chart.lines) }))
    .filter(({ series }) => series.length > 0);
  if (shown.length === 0) return null;
  return (
    <section aria-labelledby="server-side">
      <h2 id="server-side">On the server</h2>
      <div className="charts">
        {shown.map(({ title, unit, series }) => (
          <figure className="card" key={title}>
            <figcaption>
              {title} <span className="muted">{unit}</span>
            </figcaption>
            <Chart
              x={points.map(({ at }) => at)}
              series={series}
              along="seconds"
              summary={`${title} in ${unit} over the run. ${series.map(most).join('. ')}.`}
            />
          </figure>
        ))}
      </div>
    </section>
  );
}

/** All stages one after the other, with a gap between two. */
function pointsOf(report: Report): ServerPoint[] {
  const points: ServerPoint[] = [];
  for (const { server } of report.stages)
    for (const [i, point] of (server?.series ?? []).entries()) {
      const last = points.at(-1);
      if (i === 0 && last && point.at > last.at) points.push({ ...gap, at: (last.at + point.at) / 2 });
      points.push(point);
    }
  return points;
}

const gap: Omit<ServerPoint, 'at'> = {
  running: null,
  waiting: null,
  kvUse: null,
  outputTokensPerSecond: null,
  cores: null,
  rssBytes: null,
  gpuUtilization: null,
  watts: null,
};

function seriesOf(
  points: readonly ServerPoint[],
  lines: readonly (readonly [label: string, key: Key, factor: number])[],
): Series[] {
  return lines
    .map(([label, key, factor], i) => ({
      label,
      colour: `--series-${i + 1}`,
      values: points.map((point) => (point[key] === null ? null : point[key] * factor)),
    }))
    .filter(({ values }) => values.some((value) => value !== null));
}

function most({ label, values }: Series): string {
  const known = values.flatMap((value) => value ?? []);
  return `${label}: ${known.length === 0 ? unknown : `${figure(Math.min(...known))} to ${figure(Math.max(...known))}`}`;
}

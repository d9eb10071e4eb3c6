import type { ReactNode } from 'react';
import type { Report } from '../../../src/domain/run/report.ts';
import type { StageReport } from '../../../src/domain/run/stage-report.ts';
import { countsInputs } from '../../../src/domain/strategy.ts';
import { figure, unknown } from '../format.ts';
import { Chart } from './chart.tsx';
import type { Series } from './chart.tsx';

/** Throughput and latencies over the number of streams. */
export function RunCharts({ report }: { report: Report }): ReactNode {
  const stages = report.stages.toSorted((a, b) => loadOf(a) - loadOf(b));
  const streams = stages.map(loadOf);
  if (streams.length === 0) return null;
  const charts = stages.some(countsInputs)
    ? [
        { title: 'Inputs', unit: 'inputs/s', series: throughput(stages) },
        { title: 'Whole answer', unit: 'ms', series: percentiles(stages, 'e2e') },
      ]
    : [
        { title: 'Output rate', unit: 'tokens/s', series: throughput(stages) },
        { title: 'Time to first token', unit: 'ms', series: percentiles(stages, 'ttft') },
        { title: 'Gap between tokens', unit: 'ms', series: percentiles(stages, 'itl') },
      ];
  return (
    <div className="charts">
      {charts.map((chart) => (
        <figure className="card" key={chart.title}>
          <figcaption>
            {chart.title} <span className="muted">{chart.unit}</span>
          </figcaption>
          <Chart {...chart} x={streams} summary={summaryOf(chart, streams)} />
        </figure>
      ))}
    </div>
  );
}

/** What the stages are laid out by: streams, or the requests a second that were reached at last. */
function loadOf({ strategy }: StageReport): number {
  return strategy.kind === 'closed' ? strategy.streams : (strategy.rate.at(-1)?.to ?? 0);
}

/** Measured, beside the line that one stream times n would give. */
export function throughput(stages: readonly StageReport[]): Series[] {
  const measured = stages.map((stage) => {
    const rates = stage.steady ?? stage.overall;
    return (countsInputs(stage) ? rates?.inputsPerSecond : rates?.outputTokensPerSecond) ?? null;
  });
  const single = stages.findIndex(
    (stage) => stage.strategy.kind === 'closed' && stage.strategy.streams === 1,
  );
  const base = measured[single] ?? null;
  const series: Series[] = [{ label: 'measured', colour: '--series-1', values: measured }];
  if (base !== null && stages.length > 1)
    series.push({
      label: 'linear',
      colour: '--muted',
      dashed: true,
      values: stages.map((stage) =>
        stage.strategy.kind === 'closed' ? base * stage.strategy.streams : null,
      ),
    });
  return series;
}

export function percentiles(stages: readonly StageReport[], metric: 'ttft' | 'itl' | 'e2e'): Series[] {
  const list = ['p50', 'p95', 'p99'] as const;
  return list.map((at, i) => ({
    label: at,
    colour: `--series-${i + 1}`,
    values: stages.map((stage) => stage[metric]?.[at] ?? null),
  }));
}

/** The same for those who do not see the picture. */
function summaryOf(
  chart: { title: string; unit: string; series: readonly Series[] },
  streams: readonly number[],
): string {
  const lines = chart.series.map(
    ({ label, values }) =>
      `${label}: ${values.map((value, i) => `${value === null ? unknown : figure(value)} at ${streams[i]}`).join(', ')}`,
  );
  return `${chart.title} in ${chart.unit} by load. ${lines.join('. ')}.`;
}

import type { ReactNode } from 'react';
import { figure, unknown } from '../format.ts';
import { Chart } from './chart.tsx';
import type { Series } from './chart.tsx';

/** Figures at a moment of a run, seconds from its start; null: not known, or between two stages. */
export type Moment<Key extends string> = { readonly at: number } & { readonly [Name in Key]: number | null };

export interface TimeChart<Key extends string> {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly (readonly [label: string, key: Key, factor?: number])[];
}

/** Charts over the time of a run below a heading; what nobody knows has no line, and without any there is nothing. */
export function TimeFigures<Key extends string>(props: {
  readonly id: string;
  readonly title: string;
  readonly moments: readonly Moment<Key>[];
  readonly charts: readonly TimeChart<Key>[];
}): ReactNode {
  const { id, title: heading, moments } = props;
  const shown = props.charts
    .map((chart) => ({ ...chart, series: seriesOf(moments, chart.lines) }))
    .filter(({ series }) => series.length > 0);
  if (shown.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      <div className="charts">
        {shown.map(({ title, unit, series }) => (
          <figure className="card" key={title}>
            <figcaption>
              {title} <span className="muted">{unit}</span>
            </figcaption>
            <Chart
              x={moments.map(({ at }) => at)}
              series={series}
              along="seconds"
              summary={`${title} in ${unit} over the run. ${series.map(extremes).join('. ')}.`}
            />
          </figure>
        ))}
      </div>
    </section>
  );
}

/** All stages one after the other, with a gap between two; where two overlap in time the later one goes on. */
export function oneAfterTheOther<Key extends string>(
  stages: readonly (readonly Moment<Key>[])[],
  gap: Omit<Moment<Key>, 'at'>,
): Moment<Key>[] {
  const moments: Moment<Key>[] = [];
  for (const stage of stages) {
    const last = moments.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
    const points = stage.filter(({ at }) => at > last);
    const [first] = points;
    if (first && moments.length > 0) moments.push({ ...gap, at: (last + first.at) / 2 } as Moment<Key>);
    moments.push(...points);
  }
  return moments;
}

function seriesOf<Key extends string>(
  moments: readonly Moment<Key>[],
  lines: TimeChart<Key>['lines'],
): Series[] {
  return lines
    .map(([label, key, factor = 1], i) => ({
      label,
      colour: `--series-${i + 1}`,
      values: moments.map((moment) => {
        const value: number | null = moment[key];
        return value === null ? null : value * factor;
      }),
    }))
    .filter(({ values }) => values.some((value) => value !== null));
}

function extremes({ label, values }: Series): string {
  const known = values.flatMap((value) => value ?? []);
  return `${label}: ${known.length === 0 ? unknown : `${figure(Math.min(...known))} to ${figure(Math.max(...known))}`}`;
}

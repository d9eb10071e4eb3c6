import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { figure } from '../format.ts';
import { colourOf, useColourKey } from '../theme.ts';

export interface Series {
  readonly label: string;
  /** A token of tokens.css. */
  readonly colour: string;
  readonly dashed?: boolean;
  readonly values: readonly (number | null)[];
}

interface Props {
  readonly x: readonly number[];
  readonly series: readonly Series[];
  /** What x is: stages of a load, each with a mark and a number of its own, or moments. */
  readonly along?: 'stages' | 'seconds';
  /** The picture in words. */
  readonly summary: string;
}

const height = 230;

/** Lines over a few numbers of streams: points are marked, gaps stay gaps, the scale begins at 0. */
export function Chart({ x, series, along = 'stages', summary }: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const colours = useColourKey();
  const drawn = JSON.stringify([x, series]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const [xs, lines] = JSON.parse(drawn) as [number[], Series[]];
    const plot = new uPlot(
      optionsOf(xs, lines, { width: element.clientWidth, along }),
      [xs, ...lines.map((line) => [...line.values])],
      element,
    );
    const watcher = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [drawn, colours, along]);
  return <div className="chart" ref={box} role="img" aria-label={summary} />;
}

function optionsOf(
  xs: readonly number[],
  lines: readonly Series[],
  { width, along }: { width: number; along: 'stages' | 'seconds' },
): uPlot.Options {
  const axis = {
    stroke: colourOf('--muted'),
    grid: { stroke: colourOf('--line'), width: 1 },
    ticks: { show: false },
  };
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const room = low === high ? 1 : (high - low) * 0.06;
  return {
    width,
    height,
    padding: [14, 12, 0, 0],
    scales: {
      x: { time: false, range: [low - room, high + room] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        ...(along === 'stages' ? { splits: [...xs] } : {}),
        values: (_plot, splits) => splits.map((split) => (along === 'stages' ? String(split) : `${split} s`)),
        grid: { show: false },
      },
      {
        ...axis,
        size: 56,
        values: (_plot, splits) =>
          splits.map((value) => Number(value.toPrecision(4)).toLocaleString('en-GB')),
      },
    ],
    series: [
      {
        label: along === 'stages' ? 'streams' : 'second',
        value: (_plot, value) => (value === null ? '' : along === 'stages' ? String(value) : figure(value)),
      },
      ...lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: colourOf(line.colour),
        width: 2,
        ...(line.dashed ? { dash: [5, 5] } : {}),
        points: { show: !line.dashed && along === 'stages', size: 7, fill: colourOf('--surface') },
        value: (_plot, value) => (value === null ? '' : figure(value)),
      })),
    ],
    legend: { markers: { fill: (_plot, i) => colourOf(lines[i - 1]?.colour ?? '--muted') } },
    // Without a pointer over it, the legend tells the last stage.
    hooks: {
      setLegend: [
        (plot) => {
          if (plot.legend.idx === null) plot.setLegend({ idx: xs.length - 1 });
        },
      ],
    },
    cursor: { drag: { x: false, y: false } },
  };
}

import type { EngineFacts } from '../../domain/run/engine-facts.ts';
import type { Report } from '../../domain/run/report.ts';
import type { ServerPoint } from '../../domain/run/server-stage.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { formatBytes } from '../../domain/format.ts';
import { lineChart } from './line-chart.ts';
import type { Line } from './line-chart.ts';
import { escape, figure } from './markup.ts';
import { table } from './tables.ts';

/** The server's side of the run: charts over its time and a row a stage; empty when nothing was seen of it. */
export function serverSection(report: Report): string {
  const seen = report.stages.filter(({ server }) => server !== null);
  if (seen.length === 0) return '';
  const points = seen.map(({ server }) => server?.series ?? []);
  const shown = charts.flatMap(({ title, unit, lines }) => {
    const drawn = lines.map((line) => lineOf(line, points)).filter((line) => line.parts.flat().length > 1);
    return drawn.length === 0 ? [] : [lineChart(title, unit, drawn)];
  });
  return `<h2>On the server</h2>\n<div class="charts">${shown.join('')}</div>\n${serverTable(seen)}`;
}

type Figure = readonly [label: string, key: Exclude<keyof ServerPoint, 'at'>, factor?: number];

const charts: readonly { title: string; unit: string; lines: readonly Figure[] }[] = [
  {
    title: 'Requests in the engine',
    unit: 'requests',
    lines: [
      ['running', 'running'],
      ['waiting', 'waiting'],
    ],
  },
  {
    title: "Output by the engine's count",
    unit: 'tok/s',
    lines: [['output tokens', 'outputTokensPerSecond']],
  },
  {
    title: 'In use',
    unit: '%',
    lines: [
      ['KV cache', 'kvUse', 100],
      ['GPU', 'gpuUtilization', 100],
    ],
  },
  { title: 'Processor', unit: 'cores', lines: [['engine', 'cores']] },
  { title: 'Power of the GPUs', unit: 'W', lines: [['power', 'watts']] },
];

/** One part a stage: nothing is drawn over the time between two. */
function lineOf([label, key, factor = 1]: Figure, stages: readonly (readonly ServerPoint[])[]): Line {
  return {
    label,
    parts: stages.map((points) =>
      points.flatMap((point) => {
        const value = point[key];
        return value === null ? [] : [{ x: point.at, y: value * factor }];
      }),
    ),
  };
}

function serverTable(stages: readonly StageReport[]): string {
  const head = [
    'Stage',
    'Running',
    'Waiting',
    'Most waiting',
    'KV cache, most',
    'Preempted',
    'From prefix cache',
    'Cores',
    'Memory, most',
    'GPUs busy',
    'Power, W',
    'J an output token',
  ];
  return table(
    head,
    stages.map(({ label, server }) => [
      escape(label),
      figure(server?.running?.mean),
      figure(server?.waiting?.mean),
      figure(server?.waiting?.max),
      percent(server?.kvUse?.max),
      server?.preemptions == null ? '–' : String(server.preemptions),
      percent(server?.prefixHitShare),
      figure(server?.process?.cores),
      server?.process?.rssMaxBytes == null ? '–' : formatBytes(server.process.rssMaxBytes),
      server?.gpus.map(({ utilization }) => percent(utilization?.mean)).join(', ') || '–',
      server?.gpus.map(({ watts }) => figure(watts?.mean)).join(', ') || '–',
      figure(server?.joulesPerOutputToken),
    ]),
  );
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${Math.round(share * 100)} %`;
}

/** What the engine is, for the circumstances of the run. */
export function engineRows(engine: EngineFacts | null): [string, string][] {
  if (!engine) return [];
  const { version, context, slots, model, argv, settings, hardware } = engine;
  const rows: [string, string | null][] = [
    ['Version', version],
    ['Context', context === null ? null : `${context} tokens${slots === null ? '' : `, ${slots} slots`}`],
    ['Model file', model && `${model.path}${model.bytes === null ? '' : `, ${formatBytes(model.bytes)}`}`],
    ['SHA-256', model?.sha256 ?? null],
    ['Command', argv && argv.join(' ')],
    [
      'Settings',
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    ],
    [
      'Server machine',
      hardware &&
        [
          `${hardware.cpu.model ?? 'unknown processor'}, ${hardware.cpu.physicalCores} cores`,
          formatBytes(hardware.memory.totalBytes),
          ...hardware.gpus.map(({ name }) => name),
        ].join(', '),
    ],
    ['Not seen', engine.notes.join(' ')],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null && row[1] !== '');
}

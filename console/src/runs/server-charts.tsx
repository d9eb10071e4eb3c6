import type { ReactNode } from 'react';
import type { Report } from '../../../src/domain/run/report.ts';
import type { ServerPoint } from '../../../src/domain/run/server-stage.ts';
import { TimeFigures, oneAfterTheOther } from './time-figures.tsx';
import type { TimeChart } from './time-figures.tsx';

type Key = Exclude<keyof ServerPoint, 'at'>;

const charts: readonly TimeChart<Key>[] = [
  {
    title: 'Requests in the engine',
    unit: 'requests',
    lines: [
      ['running', 'running'],
      ['waiting', 'waiting'],
    ],
  },
  {
    title: 'Output counted by the engine',
    unit: 'tokens/s',
    lines: [['output', 'outputTokensPerSecond']],
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

/** What was seen of the server over the time of the run; a figure that it does not tell has no line. */
export function ServerCharts({ report }: { report: Report }): ReactNode {
  const moments = oneAfterTheOther<Key>(
    report.stages.map(({ server }) => server?.series ?? []),
    gap,
  );
  return <TimeFigures id="server-side" title="On the server" moments={moments} charts={charts} />;
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

import type { ReactNode } from 'react';
import type { Report } from '../../../src/domain/run/report.ts';
import { seriesCharts } from '../../../src/domain/run/stage-series.ts';
import type { StagePoint } from '../../../src/domain/run/stage-series.ts';
import { TimeFigures, oneAfterTheOther } from './time-figures.tsx';

/** TTFT, ITL, throughput and requests in flight over the time of the run, as the client saw them. */
export function TimeCharts({ report }: { report: Report }): ReactNode {
  const moments = oneAfterTheOther<Exclude<keyof StagePoint, 'at'>>(
    report.stages.map(({ series }) => series?.points ?? []),
    gap,
  );
  return <TimeFigures id="over-time" title="Over time" moments={moments} charts={seriesCharts} />;
}

const gap = {
  inFlight: null,
  outputTokensPerSecond: null,
  requestsPerSecond: null,
  failed: null,
  ttftP50Ms: null,
  ttftP95Ms: null,
  itlP50Ms: null,
  itlP99Ms: null,
} as const;

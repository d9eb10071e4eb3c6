import type { ForeignLatency, ForeignRun, ForeignStage } from '../../domain/run/foreign-run.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';
import { table } from '../output.ts';

/** A run of another tool for a terminal, under berth's names, with what was converted and what is missing. */
export function foreignText(run: ForeignRun): string {
  const header = [
    'STAGE',
    'OK',
    'FAILED',
    'TTFT p50',
    'p95',
    'ITL p50',
    'p99',
    'TPOT p50',
    'E2E p50',
    'tok/s',
    'req/s',
  ];
  return [
    `${run.name}: ${run.model ?? 'a model that it does not name'}${run.url === null ? '' : ` at ${run.url}`}, by ${run.tool}`,
    '',
    table([header, ...run.stages.map(rowOf)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    '',
    'TTFT, ITL, TPOT and E2E in ms, from sending; tok/s are output tokens over the tool’s own window.',
    ...run.notes.map((note) => `Note: ${note}.`),
  ].join('\n');
}

function rowOf(stage: ForeignStage): string[] {
  return [
    stage.label,
    figure(stage.requests.ok, 0),
    figure(stage.requests.failed, 0),
    latency(stage, 'ttft', 'p50'),
    latency(stage, 'ttft', 'p95'),
    latency(stage, 'itl', 'p50'),
    latency(stage, 'itl', 'p99'),
    latency(stage, 'tpot', 'p50'),
    latency(stage, 'e2e', 'p50'),
    figure(stage.outputTokensPerSecond),
    figure(stage.requestsPerSecond, 2),
  ];
}

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

function latency(stage: ForeignStage, key: ForeignLatency, quantile: keyof typeof quantiles): string {
  const values = stage.values[key];
  if (values && values.length > 0) return figure(percentile(sortedCopy(values), quantiles[quantile]));
  return figure(stage.summaries[key]?.[quantile] ?? null);
}

function figure(value: number | null, digits = 1): string {
  return value === null ? '-' : value.toFixed(value < 10 && digits === 1 ? 2 : digits);
}

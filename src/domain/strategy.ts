import type { Strategy } from './load-shape.ts';
import type { Distribution, StageReport } from './run/stage-report.ts';

/** "1 stream", "8 streams", "5 req/s", "0 to 50 req/s", "replay × 2", "8 sessions", "2 sessions/s". */
export function strategyLabel(strategy: Strategy): string {
  const what = strategy.talk ? 'session' : 'stream';
  if (strategy.kind === 'closed') return `${strategy.streams} ${what}${strategy.streams === 1 ? '' : 's'}`;
  const { arrivals } = strategy;
  if (arrivals.process === 'trace') return arrivals.speed === 1 ? 'replay' : `replay × ${arrivals.speed}`;
  const rates = [...new Set(strategy.rate.flatMap(({ from, to }) => [from, to]))];
  return `${rates.join(' to ')} ${strategy.talk ? 'sessions' : 'req'}/s`;
}

/** Streams of a closed loop; null where the load is no fixed number of streams. */
export function streamsOf(strategy: Strategy): number | null {
  return strategy.kind === 'closed' ? strategy.streams : null;
}

/**
 * The latencies to show first. Of an open loop those from the schedule: a server that lets requests wait makes the later
 * ones late, and a clock that starts when they are sent would not see it (coordinated omission).
 */
export function headlineOf(
  stage: Pick<
    StageReport,
    'strategy' | 'ttft' | 'ttftScheduled' | 'ttfot' | 'ttfotScheduled' | 'e2e' | 'e2eScheduled'
  >,
): {
  ttft: Distribution | null;
  ttfot: Distribution | null;
  e2e: Distribution | null;
} {
  return stage.strategy.kind === 'open'
    ? { ttft: stage.ttftScheduled, ttfot: stage.ttfotScheduled ?? null, e2e: stage.e2eScheduled }
    : { ttft: stage.ttft, ttfot: stage.ttfot ?? null, e2e: stage.e2e };
}

/** Whether requests were answered by something for each of their texts, and not by tokens. */
export function countsInputs(stage: Pick<StageReport, 'steady' | 'overall'>): boolean {
  return ((stage.overall ?? stage.steady)?.inputsPerSecond ?? null) !== null;
}

/** Whether answers had reasoning: only then does the time to the first output token say more than the TTFT. */
export function reasons(stage: Pick<StageReport, 'reasoningTokens'>): boolean {
  return (stage.reasoningTokens?.sum ?? 0) > 0;
}

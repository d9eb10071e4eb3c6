import type { Scaling } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { streamsOf } from '../../domain/strategy.ts';

/**
 * Speed-up and efficiency against one stream, by output tokens per second. By wall time, runs with unequal answers
 * compare nothing: twice the streams with half the tokens looks like no loss at all.
 */
export function speedup(
  rate: number,
  single: number,
  streams: number,
): { speedup: number; efficiency: number } {
  return { speedup: rate / single, efficiency: rate / single / streams };
}

/** Empty when no stage ran one stream, or a rate is unknown. */
export function scalingOf(stages: readonly StageReport[]): Scaling[] {
  const single = stages.find((stage) => streamsOf(stage.strategy) === 1);
  const base = single && outputRate(single);
  if (!base) return [];
  return stages.flatMap((stage) => {
    const rate = outputRate(stage);
    const streams = streamsOf(stage.strategy);
    if (rate === null || streams === null) return [];
    return [{ stage: stage.index, streams, ...speedup(rate, base, streams) }];
  });
}

/** The headline rate: of the steady window where there is one. */
export function outputRate(stage: StageReport): number | null {
  return (stage.steady ?? stage.overall)?.outputTokensPerSecond ?? null;
}

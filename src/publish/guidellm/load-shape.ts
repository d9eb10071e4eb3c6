import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';

/** A stage's load in GuideLLM's words: `kind` of its profile, and the strategy with that name as `type_`. */
export interface GuideLlmLoad {
  readonly kind: 'synchronous' | 'concurrent' | 'constant' | 'poisson';
  readonly streams: number | null;
  readonly rate: number | null;
}

/** A rate that changes, and arrivals that come in bursts, have no name there: the nearest one, with the mean rate. */
export function loadOf(report: Report, { strategy, openLoop }: StageReport): GuideLlmLoad {
  if (strategy.kind === 'closed') {
    const { streams } = strategy;
    // One stream of several levels stays a level: readers look for its `streams`.
    const alone = streams === 1 && report.stages.length === 1;
    return { kind: alone ? 'synchronous' : 'concurrent', streams, rate: null };
  }
  const [first] = strategy.rate;
  const steady = strategy.rate.every(({ from, to }) => from === to && from === first?.from);
  const rate = (steady ? first?.from : openLoop?.scheduledPerSecond) || 1;
  return { kind: strategy.arrivals.process === 'constant' ? 'constant' : 'poisson', streams: null, rate };
}

/** Token counts asked for, where the data were synthetic; else the mean of what came. */
export function sizesOf(report: Report): { prompt_tokens: number; output_tokens: number } {
  function mean(key: 'promptTokens' | 'outputTokens'): number {
    const found = report.stages.flatMap((stage) => stage[key]?.mean ?? []);
    return Math.max(1, Math.round(found.reduce((sum, each) => sum + each, 0) / Math.max(1, found.length)));
  }
  return { prompt_tokens: mean('promptTokens'), output_tokens: mean('outputTokens') };
}

export function requestFormat(report: Report): string {
  const { api } = report.spec.target;
  return api === 'chat' ? '/v1/chat/completions' : `/v1/${api}`;
}

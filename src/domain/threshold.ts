import { z } from 'zod';
import type { Distribution, StageReport } from './run/stage-report.ts';
import { headlineOf } from './strategy.ts';

const figures = ['mean', 'p50', 'p90', 'p95', 'p99', 'max'] as const;
const latencies = ['ttft', 'ttfot', 'itl', 'tpot', 'e2e'] as const;
const rates = ['output_rate', 'request_rate', 'error_rate', 'goodput'] as const;

const pattern = new RegExp(
  String.raw`^\s*(?:(${latencies.join('|')})\.(${figures.join('|')})|(${rates.join('|')}))\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*$`,
);

/** "ttft.p95 < 500": a latency in ms, a rate a second, a share of 1. */
export const Threshold = z
  .string()
  .regex(
    pattern,
    `expected FIGURE < NUMBER, where FIGURE is ${latencies.join(', ')} with ${figures.map((f) => `.${f}`).join(' ')}, or ${rates.join(', ')}`,
  );
export type Threshold = z.infer<typeof Threshold>;

/** What a stage reached of a threshold; `value` null: the stage does not have the figure, and then it is not passed. */
export interface Gate {
  readonly stage: string;
  readonly threshold: Threshold;
  readonly value: number | null;
  readonly passed: boolean;
}

/** What a threshold names, and how it is compared. */
export function thresholdParts(threshold: Threshold): {
  readonly latency: (typeof latencies)[number] | undefined;
  readonly figure: (typeof figures)[number] | undefined;
  readonly rate: (typeof rates)[number] | undefined;
  readonly comparison: Comparison;
  readonly limit: number;
} {
  const [, latency, figure, rate, comparison, limit] = pattern.exec(threshold) ?? [];
  return {
    latency: latency as (typeof latencies)[number] | undefined,
    figure: figure as (typeof figures)[number] | undefined,
    rate: rate as (typeof rates)[number] | undefined,
    comparison: comparison as Comparison,
    limit: Number(limit),
  };
}

/** Holds a stage against a threshold. Latencies are those that the kind of load puts first. */
export function gateOf(stage: StageReport, threshold: Threshold): Gate {
  const { latency, figure, rate, comparison, limit } = thresholdParts(threshold);
  const value =
    latency === undefined || figure === undefined
      ? rateOf(stage, rate as (typeof rates)[number])
      : (latencyOf(stage, latency)?.[figure] ?? null);
  const passed = value !== null && compare(value, comparison, limit);
  return { stage: stage.label, threshold, value, passed };
}

function latencyOf(stage: StageReport, latency: (typeof latencies)[number]): Distribution | null {
  return { ...stage, ...headlineOf(stage) }[latency];
}

function rateOf(stage: StageReport, rate: (typeof rates)[number]): number | null {
  const throughput = stage.steady ?? stage.overall;
  switch (rate) {
    case 'output_rate':
      return throughput?.outputTokensPerSecond ?? null;
    case 'request_rate':
      return throughput?.requestsPerSecond ?? null;
    case 'error_rate':
      return stage.requests.measured === 0 ? null : stage.requests.failed / stage.requests.measured;
    case 'goodput':
      return stage.goodput?.share ?? null;
  }
}

type Comparison = '<' | '<=' | '>' | '>=';

export function compare(value: number, comparison: Comparison, limit: number): boolean {
  switch (comparison) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
  }
}

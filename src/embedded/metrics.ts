import type { MetricFamily } from '../stats/prometheus.ts';
import { prometheusText } from '../stats/prometheus.ts';

/** What the engine counts, in seconds and tokens. */
export interface EngineMetrics {
  promptTokens: number;
  cachedTokens: number;
  promptSeconds: number;
  outputTokens: number;
  outputSeconds: number;
  decodes: number;
  /** Sum over decodes of the slots that took part. */
  busySlots: number;
  longestSequence: number;
  readonly requests: { stop: number; length: number; aborted: number; error: number; rejected: number };
  readonly ttft: Histogram;
  readonly itl: Histogram;
}

interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
}

const ttftBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const itlBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5];

export function createMetrics(): EngineMetrics {
  return {
    promptTokens: 0,
    cachedTokens: 0,
    promptSeconds: 0,
    outputTokens: 0,
    outputSeconds: 0,
    decodes: 0,
    busySlots: 0,
    longestSequence: 0,
    requests: { stop: 0, length: 0, aborted: 0, error: 0, rejected: 0 },
    ttft: histogram(ttftBounds),
    itl: histogram(itlBounds),
  };
}

function histogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
}

export function observe(histogram: Histogram, seconds: number): void {
  const found = histogram.bounds.findIndex((bound) => seconds <= bound);
  const at = found < 0 ? histogram.bounds.length : found;
  histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
  histogram.sum += seconds;
}

/** Prometheus text: the names of llama-server where it has one for the figure, our own histograms beside them. */
export function exposition(metrics: EngineMetrics, now: { processing: number; deferred: number }): string {
  const ttftHelp = 'From arrival to the first token, waiting included';
  return prometheusText([
    ...figures(metrics, now).map(([kind, name, help, value]): MetricFamily => ({
      kind,
      name: `llamacpp:${name}`,
      help,
      samples: [{ labels: {}, value }],
    })),
    {
      kind: 'counter',
      name: 'berth_engine_requests_total',
      help: 'Answers by how they ended',
      samples: Object.entries(metrics.requests).map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    histogramFamily('berth_engine_time_to_first_token_seconds', ttftHelp, metrics.ttft),
    histogramFamily('berth_engine_inter_token_seconds', 'Between two tokens of one answer', metrics.itl),
  ]);
}

function histogramFamily(name: string, help: string, { bounds, counts, sum }: Histogram): MetricFamily {
  return { kind: 'histogram', name, help, bounds, samples: [{ labels: {}, counts, sum }] };
}

type Figure = readonly [kind: 'counter' | 'gauge', name: string, help: string, value: number];

function figures(m: EngineMetrics, now: { processing: number; deferred: number }): Figure[] {
  return [
    ['counter', 'prompt_tokens_total', 'Prompt tokens evaluated, without cached ones', m.promptTokens],
    ['counter', 'prompt_tokens_cached_total', 'Prompt tokens taken from a slot', m.cachedTokens],
    ['counter', 'prompt_seconds_total', 'Time spent on prompts', m.promptSeconds],
    ['counter', 'tokens_predicted_total', 'Tokens generated', m.outputTokens],
    ['counter', 'tokens_predicted_seconds_total', 'Time spent on generating', m.outputSeconds],
    ['counter', 'n_decode_total', 'Evaluations, each for all slots that took part', m.decodes],
    ['counter', 'n_tokens_max', 'Longest sequence seen, prompt and output', m.longestSequence],
    ['gauge', 'prompt_tokens_seconds', 'Prompt tokens per second', rate(m.promptTokens, m.promptSeconds)],
    [
      'gauge',
      'predicted_tokens_seconds',
      'Tokens per second and answer',
      rate(m.outputTokens, m.outputSeconds),
    ],
    ['gauge', 'requests_processing', 'Requests that have a slot', now.processing],
    ['gauge', 'requests_deferred', 'Requests that wait for a slot', now.deferred],
    ['gauge', 'n_busy_slots_per_decode', 'Slots per evaluation, on average', rate(m.busySlots, m.decodes)],
  ];
}

function rate(count: number, per: number): number {
  return per > 0 ? count / per : 0;
}

import { z } from 'zod';

const figure = z.number().nullable();

/** A part of a stage's time, named by its middle. */
export const StagePoint = z.strictObject({
  /** Seconds from the run's start. */
  at: z.number(),
  /** Mean over the part. */
  inFlight: z.number(),
  /** Null where nothing makes tokens. */
  outputTokensPerSecond: figure,
  requestsPerSecond: z.number(),
  failed: z.number(),
  /** Of first tokens that came in it; of an open loop from when the request was due. */
  ttftP50Ms: figure,
  ttftP95Ms: figure,
  /** Of gaps that ended in it. */
  itlP50Ms: figure,
  itlP99Ms: figure,
});
export type StagePoint = z.infer<typeof StagePoint>;

/** A stage over its time, warm-up and drain included: at most a hundred parts of a second or more. */
export const StageSeries = z.strictObject({
  /** Each n-th request was looked at: 1 is all of them. */
  every: z.int().positive(),
  points: z.array(StagePoint).min(1),
});
export type StageSeries = z.infer<typeof StageSeries>;

/** How it is drawn, wherever it is drawn; what nobody has a figure of is left out. */
export const seriesCharts: readonly {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly (readonly [label: string, key: Exclude<keyof StagePoint, 'at'>])[];
}[] = [
  {
    title: 'First tokens',
    unit: 'ms',
    lines: [
      ['TTFT p50', 'ttftP50Ms'],
      ['TTFT p95', 'ttftP95Ms'],
    ],
  },
  {
    title: 'Gaps between tokens',
    unit: 'ms',
    lines: [
      ['ITL p50', 'itlP50Ms'],
      ['ITL p99', 'itlP99Ms'],
    ],
  },
  { title: 'Output', unit: 'tok/s', lines: [['output tokens', 'outputTokensPerSecond']] },
  { title: 'Requests in flight', unit: 'requests', lines: [['in flight', 'inFlight']] },
  { title: 'Requests answered', unit: 'req/s', lines: [['answered', 'requestsPerSecond']] },
];

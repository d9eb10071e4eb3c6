import type { RequestRecord } from '../../domain/run/record.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { countsInputs, reasons, streamsOf } from '../../domain/strategy.ts';
import { bootstrapSamples } from '../../stats/bootstrap.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';
import { latenciesOf } from '../analyse/latencies.ts';
import { concurrencyOf } from '../analyse/open-loop.ts';
import { eachEvent } from '../analyse/throughput.ts';

/** One figure of a stage with its resamples; `samples` null: too few values to say how sure it is. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  readonly n: number;
  readonly value: number;
  readonly samples: readonly number[] | null;
  /** Fewer values than this say nothing about this figure. */
  readonly fewest: number;
  /** Shown only where the two runs do not both have a figure whose name begins so. */
  readonly spare: string | null;
}

const resamples = 1000;
const sliceMicros = 1e6;

/**
 * What is compared of a stage: output rate, and the latencies that its kind of load puts first. What stands in for them
 * beside runs of other tools comes last.
 */
export function figuresOf(stage: StageReport, records: readonly RequestRecord[], seed: number): Measured[] {
  const measured = records.filter((record) => record.phase === 'measured');
  const streams = streamsOf(stage.strategy) ?? concurrencyOf(measured);
  const all = latenciesOf(records);
  const open = stage.strategy.kind === 'open';
  // Neighbours share a queue: shorter blocks would take their likeness for certainty and cry wolf.
  const block = Math.max(50, 2 * streams);
  const gaps = Math.max(1, Math.round(all.itl.length / Math.max(1, all.e2e.length)));
  return [
    ...(countsInputs(stage) ? inputRate(stage, records, seed) : outputRate(stage, records, seed)),
    ...latencyFigures('TTFT', open ? all.ttftScheduled : all.ttft, { block, seed }),
    ...(reasons(stage)
      ? latencyFigures('TTFOT', open ? all.ttfotScheduled : all.ttfot, { block, seed })
      : []),
    ...latencyFigures('ITL', all.itl, { block: block * gaps, seed }),
    ...latencyFigures('E2E', open ? all.e2eScheduled : all.e2e, { block, seed }),
    ...wholeRate(stage.overall?.outputTokensPerSecond),
    ...latencyFigures('TPOT', all.tpot, { block, seed, spare: 'ITL' }),
    ...(open
      ? [
          ...latencyFigures('TTFT from sending', all.ttft, { block, seed, spare: 'TTFT' }),
          ...latencyFigures('E2E from sending', all.e2e, { block, seed, spare: 'E2E' }),
        ]
      : []),
  ];
}

/** p50, p95 and p99 of latencies in the order of their requests. */
export function latencyFigures(
  name: string,
  values: ArrayLike<number>,
  { block, seed, spare = null }: { block: number; seed: number; spare?: string | null },
): Measured[] {
  if (values.length === 0) return [];
  const wanted = [0.5, 0.95, 0.99] as const;
  const sorted = sortedCopy(values);
  const samples = bootstrapSamples(values, { block, quantiles: wanted, seed, resamples });
  return wanted.map((q, i) => ({
    name: `${name} p${q * 100}`,
    unit: 'ms',
    better: 'lower',
    n: values.length,
    value: percentile(sorted, q),
    samples: samples?.quantiles[i] ?? null,
    // Ten values beyond a quantile: below that it is made of single requests.
    fewest: Math.round(10 / (1 - q)),
    spare,
  }));
}

/** Output tokens of each whole second of the steady window, resampled in blocks of five. */
function outputRate(stage: StageReport, records: readonly RequestRecord[], seed: number): Measured[] {
  const value = stage.steady?.outputTokensPerSecond;
  if (!value || stage.window === null) return [];
  const { start, end } = stage.window;
  const slices = new Float64Array(Math.floor((end - start) / sliceMicros));
  const perEvent = stage.tokensPerEvent ?? 1;
  for (const record of records) {
    if (record.outcome !== 'ok' && record.outcome !== 'censored') continue;
    eachEvent(record, (at) => {
      const slice = Math.floor((at - start) / sliceMicros);
      if (slice >= 0 && slice < slices.length) slices[slice] = (slices[slice] as number) + perEvent;
    });
  }
  const samples = bootstrapSamples(slices, { block: 5, quantiles: [], seed, resamples });
  return [
    {
      name: 'output rate',
      unit: 'tok/s',
      better: 'higher',
      n: slices.length,
      value,
      samples: samples?.means ?? null,
      fewest: 50,
      spare: null,
    },
  ];
}

/** The same of answered texts, which count when their answer has ended. */
function inputRate(stage: StageReport, records: readonly RequestRecord[], seed: number): Measured[] {
  const value = stage.steady?.inputsPerSecond;
  if (!value || stage.window === null) return [];
  const { start, end } = stage.window;
  const slices = new Float64Array(Math.floor((end - start) / sliceMicros));
  for (const { outcome, done, inputs } of records) {
    const slice = Math.floor((done - start) / sliceMicros);
    if (outcome === 'ok' && slice >= 0 && slice < slices.length)
      slices[slice] = (slices[slice] as number) + (inputs ?? 0);
  }
  const samples = bootstrapSamples(slices, { block: 5, quantiles: [], seed, resamples });
  const n = slices.length;
  return [
    {
      name: 'input rate',
      unit: 'inputs/s',
      better: 'higher',
      n,
      value,
      samples: samples?.means ?? null,
      fewest: 50,
      spare: null,
    },
  ];
}

/** Over the whole stage, as other tools count; they have nothing that it could be resampled from. None where it is unknown. */
export function wholeRate(value: number | null | undefined): Measured[] {
  if (!value) return [];
  return [
    {
      name: 'output rate, whole stage',
      unit: 'tok/s',
      better: 'higher',
      n: 1,
      value,
      samples: null,
      fewest: 50,
      spare: 'output rate',
    },
  ];
}

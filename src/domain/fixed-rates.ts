import { z } from 'zod';
import type { Arrivals, Strategy } from './load-shape.ts';
import type { StageReport } from './run/stage-report.ts';

/** How long a load takes to be whole. */
export const rampUp = z
  .number()
  .positive()
  .optional()
  .describe('Seconds over which each stage grows to its load; they belong to the warm-up.');

/** Keys that every open loop of fixed rates has. */
export const fixedRates = {
  rates: z
    .array(z.number().positive().max(100_000))
    .min(1)
    .describe('Requests that start each second; one stage for each number.'),
  maxInFlight: z
    .int()
    .positive()
    .default(1024)
    .describe('A start that would be one more in flight than this is dropped, and counted.'),
  rampUp,
};

/** The next stage of an open loop with one rate a stage. */
export function nextRate(
  options: {
    readonly rates: readonly number[];
    readonly maxInFlight: number;
    readonly rampUp?: number | undefined;
  },
  arrivals: Arrivals,
  earlier: readonly StageReport[],
): Strategy | null {
  const rate = options.rates[earlier.length];
  if (rate === undefined) return null;
  return {
    kind: 'open',
    arrivals,
    rate: [{ from: rate, to: rate, seconds: null }],
    maxInFlight: options.maxInFlight,
    ...(options.rampUp !== undefined && { rampSeconds: options.rampUp }),
  };
}

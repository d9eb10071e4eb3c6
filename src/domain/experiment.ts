import { z } from 'zod';
import { StickyBy } from './sticky-by.ts';

const metric = /^(?:(?:ttft|e2e|tpot)_p(?:50|90|95|99)|error_rate)$/;
const Name = z.string().min(1);

/** Two or more deployments that are held against each other; the first arm is the one that the others are compared with. */
export const Experiment = z
  .strictObject({
    arms: z
      .record(Name, Name.describe('The deployment of this arm.'))
      .refine((arms) => Object.keys(arms).length >= 2, 'An experiment needs two arms or more.')
      .describe('Deployments by the names of the arms; the first is what the others are held against.'),
    split: z
      .array(z.number().positive())
      .optional()
      .describe('Weights of the arms, in their order (default: all alike).'),
    by: StickyBy.prefault('session'),
    metric: z
      .string()
      .regex(metric)
      .default('ttft_p95')
      .meta({ examples: ['ttft_p95'] })
      .describe(
        'What decides, less being better: ttft, e2e (seconds to the end) or tpot (seconds per token) with _p50, _p90, _p95 or _p99; or error_rate.',
      ),
    alpha: z
      .number()
      .gt(0)
      .lte(0.2)
      .default(0.05)
      .describe('Chance of a verdict where there is no difference, however often one looks (default 0.05).'),
  })
  .refine(({ arms, split }) => !split || split.length === Object.keys(arms).length, {
    message: 'There must be one weight for each arm.',
    path: ['split'],
  })
  .describe(
    'A route of this name, whose clients are dealt out to the arms and stay there; "berth experiment status" judges.',
  );
export type Experiment = z.infer<typeof Experiment>;

/** What can be said of an arm at this moment; figures that are not known are null. */
export interface ArmStatus {
  readonly arm: string;
  readonly deployment: string;
  readonly weight: number;
  /** Requests that the metric was measured on. */
  readonly requests: number;
  /** As how many requests that are independent of each other they count: those of one client are not. */
  readonly worth: number;
  /** Clients that were dealt to it, as far as they say who they are. */
  readonly units: number;
  readonly value: number | null;
  /** Holds for all moments at once; `high` null: not bounded yet. */
  readonly interval: { readonly low: number; readonly high: number | null } | null;
  /** Against the first arm; null for that itself. */
  readonly verdict: 'better' | 'worse' | 'not yet enough' | null;
}

export interface ExperimentStatus {
  readonly experiment: string;
  readonly metric: string;
  readonly alpha: number;
  readonly arms: readonly ArmStatus[];
  /** Requests independent of each other that each arm needs before its percentile can be bounded at all. */
  readonly least: number;
  /** Whether clients were dealt out as the weights say; `e` is the evidence against it. */
  readonly ratio: { readonly state: 'ok' | 'mismatch' | 'unknown'; readonly e: number };
}

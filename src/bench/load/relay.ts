import type { RecordRow } from '../../domain/run/record-row.ts';
import type { CounterReading } from '../analyse/engine-counters.ts';

/** What a stage hands to the next one when it admits no more: each slot is free when its last request has ended. */
export interface Passed {
  readonly slots: readonly Promise<void>[];
  /** Requests that it sent; it sends no more. */
  readonly sent: number;
}

/** Stages that pass their slots on have one reading of the engine's counters before all of them, and one after. */
export interface JoinedStages {
  first: number;
  before: CounterReading | null;
  /** Of the stages that are over. */
  rows: RecordRow[];
}

/** How a stage is joined to its neighbours, so that the load never falls in between. */
export interface Relay {
  readonly inherited: readonly Promise<void>[];
  /** Null: nobody comes after it. */
  readonly passOn: ((passed: Passed) => void) | null;
  /** Resolves when all stages before it have ended. */
  readonly earlier: Promise<unknown>;
  readonly joined: JoinedStages;
}

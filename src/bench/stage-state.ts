import type { RunSpec } from '../domain/run/spec.ts';

/** Live figures of a running stage. Times in µs on the run's clock. */
export interface StageState {
  startedAt: number;
  warmup: number;
  measured: number;
  measuredSince: number | null;
  inFlight: number;
  done: number;
  failed: number;
  /** Faults since the last good answer. */
  failedInRow: number;
  /** Starts of an open loop that were due in the measured phase but would have been one too many. */
  dropped: number;
  draining: boolean;
  /** Ended by something else than its own limit: it was interrupted, or too much failed. */
  broken: boolean;
}

export function newStageState(startedAt: number): StageState {
  return {
    startedAt,
    warmup: 0,
    measured: 0,
    measuredSince: null,
    inFlight: 0,
    done: 0,
    failed: 0,
    failedInRow: 0,
    dropped: 0,
    draining: false,
    broken: false,
  };
}

/** So many faults in a row, and nothing more is tried: the server is down or refuses everything. */
const hopeless = 20;

export function isHopeless(state: StageState): boolean {
  return state.failedInRow >= hopeless;
}

/** A share of fewer ended requests than this is chance. */
const fewestForRate = 20;

/** Whether a stage has had more failures than the run allows. */
export function tooManyErrors(
  state: Pick<StageState, 'failed' | 'warmup' | 'measured' | 'inFlight'>,
  limits: Pick<RunSpec['limits'], 'errors' | 'errorRate'>,
): boolean {
  if (limits.errors !== null && state.failed > limits.errors) return true;
  const ended = state.warmup + state.measured - state.inFlight;
  return limits.errorRate !== null && ended >= fewestForRate && state.failed / ended > limits.errorRate;
}

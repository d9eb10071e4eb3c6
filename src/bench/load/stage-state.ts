import type { StopReason } from '../../domain/run/stop-reason.ts';
import type { RunSpec } from '../../domain/run/spec.ts';

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
  /** Answers in a row that were none, however they came: what is no stream, no JSON or empty has status 200 too. */
  badInRow: number;
  /** When the next stage began with its slots; null: it did not. */
  passedOn: number | null;
  /** Why the stage is to end before its own limit, if somebody outside of it said so. */
  halt: StopReason | null;
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
    badInRow: 0,
    passedOn: null,
    halt: null,
  };
}

/** So many faults in a row, and nothing more is tried: the server is down or refuses everything. */
const hopeless = 20;
/** A share of fewer ended requests than this is chance. */
const fewestForRate = 20;

/** Why nothing more is to be sent; null: nothing stands against it. */
export function stopReason(
  state: StageState,
  limits: Pick<RunSpec['limits'], 'errors' | 'errorRate'>,
): StopReason | null {
  if (state.halt !== null) return state.halt;
  if (Math.max(state.failedInRow, state.badInRow) >= hopeless) return 'unreachable';
  if (limits.errors !== null && state.failed > limits.errors) return 'errors';
  const ended = state.warmup + state.measured - state.inFlight;
  const overRate = limits.errorRate !== null && state.failed / ended > limits.errorRate;
  return overRate && ended >= fewestForRate ? 'error-rate' : null;
}

import type { RunSpec, Warmup } from '../../domain/run/spec.ts';

/** Where a stage stands when one of its streams is free. Times in µs. */
export interface Admission {
  readonly now: number;
  readonly startedAt: number;
  readonly warmup: number;
  readonly measured: number;
  /** When the first measured request was admitted; null before. */
  readonly measuredSince: number | null;
  readonly streams: number;
  readonly stopped: boolean;
  /** The load is not yet what the stage is to have: it grows, or answers of the stage before are under way. */
  readonly growing?: boolean;
}

/**
 * What a free stream does next. The streams pass from warm-up to the measured phase one by one, each when its own
 * request has ended, so that the load never falls in between; a request belongs to the phase in which it was admitted.
 */
export function admit(
  state: Admission,
  plan: { warmup: Warmup; limits: Pick<RunSpec['limits'], 'seconds' | 'requests'> },
): 'warmup' | 'measured' | 'stop' {
  if (state.stopped) return 'stop';
  if (state.measuredSince === null && state.measured === 0 && stillWarming(state, plan.warmup))
    return 'warmup';
  const { seconds, requests } = plan.limits;
  if (requests !== null && state.measured >= requests) return 'stop';
  if (seconds !== null && state.measuredSince !== null && state.now - state.measuredSince >= seconds * 1e6)
    return 'stop';
  return 'measured';
}

/** Every stream sends at least one request to warm up, whatever the count says. */
function stillWarming(state: Admission, warmup: Warmup): boolean {
  if (state.growing) return true;
  switch (warmup.kind) {
    case 'none':
      return false;
    case 'requests':
      return state.warmup < Math.max(warmup.count, state.streams);
    case 'seconds':
      return state.warmup < state.streams || state.now - state.startedAt < warmup.seconds * 1e6;
  }
}

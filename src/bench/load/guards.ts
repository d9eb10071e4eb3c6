import type { Strategy } from '../../domain/load-shape.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { moneyOf } from '../report/money.ts';
import { isOverSaturated } from './over-saturation.ts';
import type { FirstToken, LoadMoment } from './over-saturation.ts';
import type { StageState } from './stage-state.ts';

/** A pause as long as this is nothing yet, µs. */
const shortSilence = 2_000_000;

/** Tokens of a whole run so far, warm-up included. */
export interface Spent {
  promptTokens: number;
  outputTokens: number;
}

export interface Guards {
  readonly onRecord: (record: RequestRecord) => void;
  /** About twice a second; `now` in µs of the run's clock, `reads` of bodies so far. */
  readonly onTick: (now: number, reads: number) => void;
  /** Whether the server went silent: not one byte while the last answers were waited for, and some never came. */
  readonly wasSilent: (reads: number) => boolean;
}

/** Watches a stage for what is to end it before its own limit, and says so in its state. */
export function createGuards(
  spec: RunSpec,
  stage: { state: StageState; strategy: Strategy; spent: Spent },
): Guards {
  const { state, strategy, spent } = stage;
  const { stops } = spec;
  const window = strategy.kind === 'open' ? (stops?.overSaturationSeconds ?? null) : null;
  let load: LoadMoment[] = [];
  let tokens: FirstToken[] = [];
  let watchedSince: number | null = null;
  let slowest = 0;
  let censored = 0;
  let readsAtDrain: number | null = null;

  function checkBudget(now: number): void {
    if (!stops) return;
    if (stops.tokens !== null && spent.promptTokens + spent.outputTokens >= stops.tokens)
      state.halt ??= 'budget';
    if (stops.money !== null && (moneyOf(stops, { ...spent, seconds: now / 1e6 }) ?? 0) >= stops.money)
      state.halt ??= 'budget';
  }

  return {
    onRecord: (record) => {
      const { outcome, firstToken, scheduled, done } = record;
      spent.promptTokens += record.prompt.tokens ?? 0;
      spent.outputTokens += record.output.tokens ?? 0;
      if (outcome === 'censored') censored += 1;
      else state.badInRow = outcome === 'ok' ? 0 : state.badInRow + 1;
      if (outcome === 'ok') slowest = Math.max(slowest, (firstToken ?? done) - scheduled);
      if (window !== null && firstToken !== null && record.phase === 'measured')
        tokens.push({ at: firstToken / 1e6, ttftMs: (firstToken - scheduled) / 1000 });
      if (window !== null && watchedSince !== null) load.push({ at: done / 1e6, inFlight: state.inFlight });
      checkBudget(done);
    },
    onTick: (now, reads) => {
      checkBudget(now);
      if (state.draining) readsAtDrain ??= reads;
      if (window === null || state.measuredSince === null || state.draining) return;
      const at = now / 1e6;
      watchedSince ??= at;
      load = [...load.filter((each) => each.at >= at - window), { at, inFlight: state.inFlight }];
      tokens = tokens.filter((each) => each.at >= at - window);
      const whole = at - watchedSince >= window;
      if (whole && isOverSaturated(load, tokens, { now: at, window })) state.halt ??= 'over-saturated';
    },
    wasSilent: (reads) =>
      spec.stream &&
      censored > 0 &&
      readsAtDrain === reads &&
      spec.drainSeconds * 1e6 > Math.max(shortSilence, 5 * slowest),
  };
}

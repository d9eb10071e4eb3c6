import { selftestCases } from '../../src/bench/selftest/selftest-cases.ts';
import type { SelftestCase } from '../../src/bench/selftest/selftest-cases.ts';
import { TruthCase } from '../../src/bench/truth/truth-case.ts';
import type { Play } from '../bench/truth.ts';

/** One answer of a case, as the server plays it and as it must be told. */
export interface PlannedCase extends Play {
  readonly of: string;
  readonly good: boolean;
}

/**
 * The streamed cases of `berth bench selftest`, each in as many answers as its rule needs: of a fault in every second one a
 * good answer and a faulty one. The server plays them in turn to whoever asks.
 */
export function plannedCases(): PlannedCase[] {
  const streamed = selftestCases.filter(({ stream }) => stream);
  return streamed.flatMap((each, place) => answersOf(each, `c${place}`, true));
}

const refusals = new Set(['rate-limited', 'client-error', 'server-error']);

/** Those of them that an answer in one piece can have. */
export function wholeCases(): PlannedCase[] {
  const cases = selftestCases.filter(({ name, stream, truth }) => {
    if (!stream || name === 'one token an event') return true;
    if (truth.fault) return refusals.has(truth.fault.kind);
    return truth.slow !== undefined || truth.usageTokens !== undefined;
  });
  return cases.flatMap((each, place) => answersOf(each, `w${place}`, false));
}

function answersOf(each: SelftestCase, name: string, stream: boolean): PlannedCase[] {
  return Array.from({ length: periodOf(each) }, (_, i) => {
    const truth = TruthCase.parse(each.truth);
    const number = i + 1;
    return {
      name: `${name}-${number}`,
      of: each.name,
      truth: each.truth,
      stream,
      number,
      good: truth.fault === null || number % truth.fault.every !== 0,
    };
  });
}

/** One answer alone, whoever asks. */
export function onlyCase(truth: Play['truth']): PlannedCase[] {
  return [{ name: 'load', of: 'load', truth, good: true }];
}

/** Every tenth answer is slow. */
export function twoSpeeds(): PlannedCase[] {
  const truth = { ttftMs: 5, itlMs: 0, tokens: 1, roleFirst: false, slow: { every: 10, ms: 300 } };
  return Array.from({ length: 10 }, (_, i) => ({
    name: `q${i + 1}`,
    of: 'queue',
    truth,
    number: i + 1,
    good: true,
  }));
}

function periodOf({ truth }: SelftestCase): number {
  const { fault, stall, slow } = TruthCase.parse(truth);
  return fault?.every ?? stall?.every ?? slow?.every ?? 1;
}

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
  return streamed.flatMap((each, place) =>
    Array.from({ length: periodOf(each) }, (_, i) => {
      const truth = TruthCase.parse(each.truth);
      const number = i + 1;
      return {
        name: `c${place}-${number}`,
        of: each.name,
        truth: each.truth,
        number,
        good: truth.fault === null || number % truth.fault.every !== 0,
      };
    }),
  );
}

function periodOf({ truth }: SelftestCase): number {
  const { fault, stall, slow } = TruthCase.parse(truth);
  return fault?.every ?? stall?.every ?? slow?.every ?? 1;
}

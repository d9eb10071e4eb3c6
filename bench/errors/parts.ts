import type { Play, TruthOptions } from '../bench/truth.ts';
import type { Load } from '../lib/tools/contract.ts';
import { lagP99Ms } from '../bench/runs.ts';
import { onlyCase, plannedCases, twoSpeeds, wholeCases } from './cases.ts';
import type { PlannedCase } from './cases.ts';
import {
  arrivalsOf,
  burstiness,
  errorOf,
  firstTokensOfNone,
  outcomesWrong,
  pairsOf,
  poissonDistance,
  tokensWrong,
} from './errors.ts';
import type { Measured } from './errors.ts';

/** A load on the server, and what is compared of it: columns that were fixed before anything was measured. */
export interface Part {
  readonly name: string;
  readonly what: string;
  readonly cases: readonly PlannedCase[];
  readonly server: TruthOptions;
  readonly load: Load;
  readonly columns: Readonly<Record<string, (measured: Measured) => number | null>>;
}

export const streams = 4;
const timeoutSeconds = 3;
const lengthy: Play['truth'] = { ttftMs: 100, itlMs: 50, tokens: 60, stampIn: 'text' };
const short: Play['truth'] = { ttftMs: 20, itlMs: 5, tokens: 8, stampIn: 'text' };

/** What is held against the log of every answer in pieces. */
const streamedErrors: Part['columns'] = {
  'TTFT p50': ofPairs('ttftMs', 0.5),
  'TTFT p99': ofPairs('ttftMs', 0.99),
  'TPOT p99': ofPairs('tpotMs', 0.99),
  'longest gap p99': ofPairs('longestGapMs', 0.99),
  'E2E p99': ofPairs('e2eMs', 0.99),
};

/** `rounds`: how often each case is played. */
export function partsOf(rounds: number): readonly Part[] {
  return [streamed(rounds), whole(rounds), ...rates(), many()];
}

function streamed(rounds: number): Part {
  const cases = plannedCases();
  return {
    name: 'streamed',
    what: `every streamed case of the selftest ${rounds} times, ${streams} streams`,
    cases,
    server: {},
    load: { streams, requests: rounds * cases.length, timeoutSeconds },
    columns: {
      ...streamedErrors,
      'tokens wrong': (measured) => tokensWrong(pairsOf(measured)),
      'outcomes wrong': outcomesWrong,
    },
  };
}

function whole(rounds: number): Part {
  const cases = wholeCases();
  return {
    name: 'whole',
    what: `answers in one piece, every case ${4 * rounds} times, ${streams} streams`,
    cases,
    server: { whole: true },
    load: { streams, requests: 4 * rounds * cases.length, streamed: false, timeoutSeconds },
    columns: {
      'TTFT told of none': (measured) => firstTokensOfNone(pairsOf(measured)),
      'E2E p50': ofPairs('e2eMs', 0.5),
      'E2E p99': ofPairs('e2eMs', 0.99),
      'tokens wrong': (measured) => tokensWrong(pairsOf(measured)),
      'outcomes wrong': outcomesWrong,
    },
  };
}

function rates(): Part[] {
  return [
    {
      name: 'constant',
      what: '50 requests a second for 10 s, by a steady schedule',
      cases: onlyCase(short),
      server: {},
      load: { rate: 50, requests: 500 },
      columns: {
        'start late p99': ({ log }) => lagP99Ms(new Map(log.map((each) => [each.number, each])), 50, 10),
        'TTFT p99': ofPairs('ttftMs', 0.99),
        'E2E p99': ofPairs('e2eMs', 0.99),
        'E2E from schedule p99': ofPairs('fromScheduleMs', 0.99, 50),
      },
    },
    {
      name: 'poisson',
      what: '100 requests a second for 10 s, by Poisson',
      cases: onlyCase(short),
      server: {},
      load: { rate: 100, arrivals: 'poisson', requests: 1000 },
      columns: {
        'rate off by %': ({ log }) => Math.abs((log.length - 1) / (arrivalsOf(log).at(-1) ?? 0) - 100),
        'KS x sqrt n (< 1.36)': ({ log }) => poissonDistance(arrivalsOf(log), 100),
        'Fano (1)': ({ log }) => burstiness(arrivalsOf(log)),
        'TTFT p99': ofPairs('ttftMs', 0.99),
      },
    },
    {
      name: 'queue',
      what: '40 requests a second for 3 s to a server with one slot, every tenth answer 300 ms slower',
      cases: twoSpeeds(),
      server: { slots: 1 },
      load: { rate: 40, requests: 120 },
      columns: {
        'E2E p99': ofPairs('e2eMs', 0.99),
        'E2E from schedule p50': ofPairs('fromScheduleMs', 0.5, 40),
        'E2E from schedule p99': ofPairs('fromScheduleMs', 0.99, 40),
      },
    },
  ];
}

function many(): Part {
  return {
    name: 'many',
    what: '500 streams of 20 chunks a second',
    cases: onlyCase(lengthy),
    server: { spreadMicros: 50_000 },
    load: { streams: 500, requests: 1500 },
    columns: {
      ...streamedErrors,
      'outcomes wrong': outcomesWrong,
    },
  };
}

function ofPairs(figure: Parameters<typeof errorOf>[1], q: number, rate?: number) {
  return (measured: Measured) => errorOf(pairsOf(measured, rate), figure, q);
}

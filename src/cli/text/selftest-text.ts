import type { SelftestResult } from '../../bench/selftest/selftest.ts';
import { table } from '../output.ts';

export function selftestText(result: SelftestResult): string {
  const header = [
    'CASE',
    'TTFT error, mean',
    'p99',
    'ITL error, mean',
    'p99',
    'OWN delay, p50',
    'p99',
    'COUNTS',
  ];
  const rows = result.cases.map((each) => [
    each.name,
    ms(each.ttft?.meanMs),
    ms(each.ttft?.p99Ms),
    ms(each.itl?.meanMs),
    ms(each.itl?.p99Ms),
    ms(each.stamps?.delayP50Ms),
    ms(each.stamps?.delayP99Ms),
    each.faults.length === 0 ? 'exact' : 'wrong',
  ]);
  const faults = result.cases.flatMap((each) => each.faults.map((fault) => `${each.name}: ${fault}.`));
  return [
    table([header, ...rows], [1, 2, 3, 4, 5, 6]),
    'Errors are in ms, measured minus true: the lateness of the server with the known schedule is in them too.',
    "Own delay: from the moment of writing that stands in each event to the client's stamp, on one clock.",
    '',
    "From the server's writing of an event to the client's stamp:",
    ...result.floor.map(
      (each) =>
        `${each.streams === 1 ? '1 stream' : `${each.streams} streams`}: ${ms(each.errorP50Ms)} ms (p50), ` +
        `${ms(each.errorP99Ms)} ms (p99), ${each.events} events`,
    ),
    '',
    ...faults,
    result.passed ? 'Every count and every class of fault is exact.' : 'Something was counted wrong.',
  ].join('\n');
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

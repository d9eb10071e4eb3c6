import type { Comparison, Difference } from '../../bench/compare/compare-runs.ts';
import { changeOf } from '../../bench/compare/change-limit.ts';
import type { ChangeGate } from '../../bench/compare/change-limit.ts';
import { table } from '../output.ts';

/** A comparison for a terminal: what differs, one row a figure, and how large a change could have been seen. */
export function comparisonText(comparison: Comparison): string {
  const lines = [`${comparison.other} beside ${comparison.base}`];
  for (const text of comparison.differs) lines.push(`Differs: ${text}`);
  for (const text of comparison.unequal) lines.push(`Not equal work: ${text}`);
  if (comparison.clientLimited)
    lines.push('A run was limited by its client: its figures are not those of the server.');
  for (const label of comparison.missing) lines.push(`${label}: only one of the runs has it.`);
  const header = ['STAGE', 'FIGURE', 'BASE', 'RUN', 'CHANGE', '95 % INTERVAL', 'VERDICT'];
  const rows = comparison.stages.flatMap(({ label, differences }) =>
    differences.map((difference) => [label, ...rowOf(difference)]),
  );
  return [...lines, '', table([header, ...rows], [2, 3, 4, 5])].join('\n');
}

/** One figure: name with unit, both values, the change with its interval, the verdict. */
export function rowOf(difference: Difference): string[] {
  const { estimate, unit } = difference;
  return [
    `${difference.metric}, ${unit}`,
    figure(difference.base),
    figure(difference.other),
    percent(changeOf(difference)),
    estimate === null ? '-' : `${percent(estimate.interval[0])} to ${percent(estimate.interval[1])}`,
    difference.verdict === 'not enough data' && estimate !== null
      ? `not enough data (would see ${percent(1 + estimate.detectable)})`
      : difference.verdict,
  ];
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

/** What came of nothing has grown by no number of times. */
function percent(ratio: number): string {
  if (!Number.isFinite(ratio)) return '-';
  const change = (ratio - 1) * 100;
  return `${change >= 0 ? '+' : ''}${change.toFixed(1)} %`;
}

const verdicts = {
  kept: 'Kept',
  missed: 'Missed',
  unsure: 'Not sure (the interval reaches over the limit)',
  'not measured': 'Missed (not measured)',
} as const;

/** A limit on a change, and how it was kept. */
export function limitText({ stage, limit, change, verdict }: ChangeGate): string {
  return `${verdicts[verdict]}: ${limit} at ${stage}${change === null ? '' : ` (${percent(change)})`}.`;
}

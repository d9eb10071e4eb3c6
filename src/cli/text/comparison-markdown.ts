import type { Comparison } from '../../bench/compare/compare-runs.ts';
import { rowOf } from './comparison-text.ts';

/** A comparison as a table for a pull request; what is worse or better stands out. */
export function comparisonMarkdown(comparison: Comparison): string {
  const notes = [
    ...comparison.differs.map((text) => `- Differs: ${text}`),
    ...comparison.unequal.map((text) => `- **Not equal work:** ${text}`),
    ...(comparison.clientLimited
      ? ['- **A run was limited by its client: its figures are not those of the server.**']
      : []),
    ...comparison.missing.map((label) => `- ${label}: only one of the runs has it`),
  ];
  const rows = comparison.stages.flatMap(({ label, differences }) =>
    differences.map((difference) => {
      const cells = [label, ...rowOf(difference)].map(plain);
      const verdict = cells.pop() ?? '';
      return `| ${cells.join(' | ')} | ${/^(worse|better)$/.test(verdict) ? `**${verdict}**` : verdict} |`;
    }),
  );
  return [
    `### ${plain(comparison.other)} beside ${plain(comparison.base)}`,
    '',
    '| load | figure | base | run | change | 95 % interval | verdict |',
    '|---|---|---:|---:|---:|---:|---|',
    ...rows,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => note.replaceAll(/[\r\n]+/g, ' '))]),
  ].join('\n');
}

function plain(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\`*_[\]<>|]/g, (found) => `\\${found}`);
}

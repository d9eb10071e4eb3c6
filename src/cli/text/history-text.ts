import type { History } from '../../bench/compare/history.ts';
import { table } from '../output.ts';

/** A run beside the earlier ones of the same, for a terminal: what stands out, and by which rule. */
export function historyText(history: History): string {
  const { run, baseline, before } = history;
  if (before === null || baseline.length === 0)
    return `${run}: two earlier runs of the same are the least to hold it against, and there ${before === null ? 'is none' : 'is one'}.`;
  const header = ['STAGE', 'FIGURE', 'USUAL', 'BEFORE', 'RUN', 'Z BEFORE', 'Z', 'VERDICT'];
  const rows = history.figures.map((figure) => [
    figure.stage,
    `${figure.metric}, ${figure.unit}`,
    number(figure.usual),
    number(figure.before),
    number(figure.value),
    number(figure.scoreBefore),
    number(figure.score),
    figure.verdict,
  ]);
  return [
    `${run} beside ${baseline.length} earlier ${baseline.length === 1 ? 'run' : 'runs'} of the same, and ${before} before it`,
    '',
    table([header, ...rows], [2, 3, 4, 5, 6]),
    '',
    baseline.length < 5
      ? 'Fewer than five earlier runs tell no spread: a tenth worse than usual is the limit.'
      : 'Z counts robust standard deviations to the worse of the earlier runs; over 2.5 twice in a row is a regression.',
    ...(history.figures.some(({ verdict }) => verdict === 'suspect')
      ? ['Suspect is worse for the first time: measure again ("berth bench --again last") to confirm it.']
      : []),
    ...(history.clientLimited
      ? ['The run was limited by its client: its figures are not those of the server.']
      : []),
  ].join('\n');
}

function number(value: number | null): string {
  return value === null ? '-' : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

import { comparisonText, limitText } from './comparison-text.ts';
import type { HeldRun } from '../bench/held-runs.ts';

/** How a run stands to its baseline, for a terminal; empty: it has none. */
export function heldText({ against }: HeldRun): string {
  if (!against) return '';
  const { comparison, limits, repeat } = against;
  const lines = [comparisonText(comparison), ...limits.map(limitText)];
  if (repeat)
    lines.push('', 'Measured once more:', comparisonText(repeat.comparison), ...repeat.limits.map(limitText));
  return `\n\n${[...lines, '', conclusion({ against })].join('\n')}`;
}

function conclusion({ against }: Required<Pick<HeldRun, 'against'>>): string {
  const { comparison, repeat, regressions, worse } = against;
  switch ((repeat ?? against).verdict) {
    case 'client-limited':
      return 'Nothing is judged: a client limited one of the runs.';
    case 'unequal':
      return 'Nothing is judged: the runs did other work.';
    case 'nothing in common':
      return 'Nothing is judged: the runs have no figure of the same load in common.';
    case 'kept':
    case 'worse':
  }
  if (regressions.length > 0)
    return `Worse than ${comparison.base}${repeat ? ', twice' : ''}: ${regressions.join('; ')}.`;
  if (repeat) return `Not confirmed: ${worse.join('; ')} was worse once and not twice.`;
  return worse.length > 0
    ? `Worse than ${comparison.base}, and not measured once more: ${worse.join('; ')}.`
    : `Nothing is worse than ${comparison.base}.`;
}

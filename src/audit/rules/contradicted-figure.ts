import type { Rule } from './contract.ts';

export const contradictedFigure: Rule = {
  id: 'contradicted-figure',
  severity: 'warning',
  finds: 'a published figure of a benchmark that those beside it contradict (`audit.figures`, `--figures`)',
  why: 'Machines are bought, and models chosen, by such figures.',
  find: ({ figures }) =>
    figures
      .filter((one) => one.verdict === 'contradicted')
      .map(({ file, name, source, arithmetic, conclusion }) => ({
        object: name,
        names: [file],
        message: conclusion,
        evidence: [`${file}${source === null ? '' : `, from ${source}`}`, ...arithmetic],
        cure: 'Correct the figure where it was published, or measure it again with "berth bench".',
      })),
};

import type { Command } from 'commander';
import { loadReport, runFolder } from '../../bench/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { filePublishers } from '../../publish/registry.ts';
import type { CliContext } from '../context.ts';
import { reportText } from '../report-text.ts';

const formats = ['text', ...filePublishers.map((publisher) => publisher.kind)] as const;

export const examples = [
  ['berth report last', 'The newest run, as a table.'],
  ['berth report last --format html > report.html', 'The same as a page with charts.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .argument(
      '<run>',
      'id of a run, the start or end of one, "last", "last~1" for the one before, or the path of its folder',
    )
    .option('--format <format>', formats.join(', '), 'text')
    .action(async (run: string, options: { format: string }) => {
      const report = await loadReport(context.world, run);
      const publisher = filePublishers.find(({ kind }) => kind === options.format);
      if (context.output.json) return context.output.result(report, () => '');
      if (publisher) return context.output.raw(publisher.render(report));
      if (options.format !== 'text')
        throw new BerthError('USAGE', {
          detail: `--format is one of ${formats.join(', ')}, not ${options.format}.`,
          command: 'report',
        });
      const folder = await runFolder(context.world, run);
      context.output.result(report, () => reportText(report, folder));
    });
}

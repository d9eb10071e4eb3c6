import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readForeign } from '../../bench/report/read-foreign.ts';
import { readRecords } from '../../bench/report/record-file.ts';
import { loadReport, runFolder } from '../../bench/run/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { filePublishers } from '../../publish/registry.ts';
import type { CliContext } from '../context.ts';
import { publishedText, publishTo } from '../bench/publish-runs.ts';
import type { FinishedRun } from '../bench/run-benchmarks.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { foreignText } from '../text/foreign-text.ts';
import { reportText } from '../text/report-text.ts';

const formats = ['text', ...filePublishers.map((publisher) => publisher.kind)] as const;

export const examples = [
  ['berth report last', 'The newest run, as a table.'],
  ['berth report last --format html --out report.html', 'The same as a page with charts.'],
  ['berth report last --format markdown', 'Tables for a pull request.'],
  ['berth report last --publish registry s3', 'Tells it to publishers of the fleet file, once more.'],
  ['berth report last --format guidellm --out guidellm.json', 'For what reads the files of GuideLLM.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument(
      '<run>',
      'id of a run, the start or end of one, its name (the newest of that name), "last", "last~1" for the one before, the path of its folder, or a result file of another tool',
    )
    .option('--format <format>', formats.join(', '), 'text')
    .option('--out <file>', 'write there and not to stdout')
    .option('--publish <names...>', 'tell it to these publishers of the fleet file')
    .addHelpText(
      'after',
      `\nFormats:\n${filePublishers.map(({ kind, title }) => `  ${kind.padEnd(14)}${title}`).join('\n')}`,
    )
    .action((run: string, options: ReportOptions) => report(run, options, context));
}

interface ReportOptions extends FileOptions {
  readonly format: string;
  readonly out?: string;
  readonly publish?: readonly string[];
}

async function report(run: string, options: ReportOptions, context: CliContext): Promise<void> {
  const { world, output } = context;
  const publisher = filePublishers.find(({ kind }) => kind === options.format);
  if (!publisher && options.format !== 'text')
    throw new BerthError('USAGE', {
      detail: `--format is one of ${formats.join(', ')}, not ${options.format}.`,
      command: 'report',
    });
  const foreign = await readForeign(world, resolve(context.cwd, run));
  if (foreign) {
    if (publisher)
      throw new BerthError('FORMAT_FOREIGN', { path: run, tool: foreign.tool, format: options.format });
    return output.result(foreign, () => foreignText(foreign));
  }
  const found = await loadReport(world, run);
  const folder = await runFolder(world, run);
  if (options.publish) return publish(context, { report: found, folder }, options, options.publish);
  const content = publisher
    ? await publisher.render(found, () => readRecords(world.files, folder))
    : `${reportText(found, folder)}\n`;
  if (options.out !== undefined) {
    const path = resolve(context.cwd, options.out);
    await world.files.write(path, content, 0o644);
    return output.result({ run: found.id, format: options.format, path }, () => `Written: ${path}`);
  }
  if (output.json) output.result(found, () => '');
  else output.raw(content);
}

async function publish(
  context: CliContext,
  run: FinishedRun,
  options: FileOptions,
  names: readonly string[],
): Promise<void> {
  const published = await publishTo(context, await loadFrom(context, options), run, names);
  context.output.result({ run: run.report.id, published }, () => publishedText(published).trim());
  if (published.some(({ error }) => error !== null)) context.exit(exitCodes.fault);
}

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { architectureOf } from '../../audit/describe/architecture.ts';
import { describeAs, describeFormats } from '../../audit/describe/formats.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { fleetIfAny, observeHere } from '../observe-here.ts';
import { readObservation } from '../read-observation.ts';

export const examples = [
  ['berth describe', 'What runs where, why and how it is managed, as Markdown.'],
  ['berth describe --format mermaid', 'Who reaches whom, as a diagram.'],
  ['berth describe --format html --out state.html', 'A page that stands by itself.'],
] as const;

interface DescribeOptions extends FileOptions {
  readonly format: string;
  readonly out?: string;
  readonly from?: string;
  readonly timeout: string;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--format <format>', `how it is written: ${describeFormats.join(', ')}`, 'md')
    .option('--out <file>', 'write it there')
    .option('--from <file>', 'describe what "berth audit --record" kept, and look at nothing')
    .option('--timeout <time>', 'how long servers and tools may take to answer', '1500ms')
    .action(async (options: DescribeOptions) => {
      const { world, output, cwd } = context;
      const format = describeFormats.find((one) => one === options.format);
      if (!format) {
        const detail = `--format is one of ${describeFormats.join(', ')}`;
        throw new BerthError('USAGE', { detail, command: 'describe' });
      }
      const observation = options.from
        ? await readObservation(context, options.from)
        : await observeHere(context, {
            loaded: await fleetIfAny(context, options),
            timeout: options.timeout,
          });
      const architecture = architectureOf(observation);
      const text = describeAs(architecture, format);
      if (options.out === undefined) return output.result(architecture, () => text);
      const path = resolve(cwd, options.out);
      await world.files.write(path, `${text}\n`, 0o644);
      output.result({ path }, () => `${path} is written.`);
    });
}

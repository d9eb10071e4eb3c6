import type { Command } from 'commander';
import { formatBytes } from '../../domain/format.ts';
import type { Pulled } from '../../models/pull.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { countOption } from '../count-option.ts';
import { namedSources } from '../named-models.ts';
import { pullNamed } from '../pull-named.ts';

export const examples = [
  ['berth pull', 'Fetches every model of the fleet file that lies elsewhere.'],
  ['berth pull hf://bartowski/Qwen2.5-7B-Instruct-GGUF:Q4_K_M', 'One model, with or without a fleet file.'],
  ['berth pull s3://models/mistral-24b', 'All files below a prefix of a bucket.'],
  ['berth models show hf://Qwen/Qwen2.5-7B-Instruct', 'What it is, before anything is fetched.'],
] as const;

interface PullCommandOptions extends FileOptions {
  readonly connections: number;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument(
      '[model...]',
      'sources, or models or deployments of the fleet file; without any, all of its models',
    )
    .option('--connections <n>', 'ranges of one file that are fetched at once', countOption(1, 32), 4)
    .action(async (names: string[], options: PullCommandOptions) => {
      const pulled: Pulled[] = [];
      for (const named of await namedSources(context, options, names))
        pulled.push(await pullNamed(context, named, options.connections));
      context.output.result(
        pulled.map(({ model, path, fetched }) => ({ ...model, path, fetched })),
        () => pulled.map(lineOf).join('\n') || 'The fleet file names no model that lies elsewhere.',
      );
    });
}

function lineOf({ model, path, fetched }: Pulled): string {
  const bytes = model.files.reduce((sum, { size }) => sum + size, 0);
  return `${model.source}: ${fetched ? 'fetched' : 'there already'}, ${formatBytes(bytes)}, ${path}`;
}

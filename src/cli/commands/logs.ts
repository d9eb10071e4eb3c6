import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { logSources } from '../../fleet/observe/logs.ts';
import type { LogSource } from '../../fleet/observe/log-source.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth logs', 'Last lines of every engine.'],
  ['berth logs mistral --follow', 'Goes on as they are written; Ctrl-C ends it.'],
  ['berth logs gateway', 'Of the gateway.'],
] as const;

interface LogsOptions extends FileOptions {
  readonly lines: string;
  readonly follow?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('[name]', 'a deployment, or "gateway" or "up"')
    .option('-n, --lines <count>', 'how many last lines', '50')
    .option('--follow', 'go on as lines are written (-f is the fleet file)')
    .action(async (name: string | undefined, options: LogsOptions) => {
      const lines = Number(options.lines);
      if (!Number.isInteger(lines) || lines < 0)
        throw new BerthError('USAGE', { detail: '--lines is a whole number', command: 'logs' });
      const loaded = await loadDespiteFaults(context, options);
      const sources = await logSources(context.world, loaded, name);
      if (options.follow) await follow(context, sources, lines);
      else await print(context, sources, lines);
    });
}

async function print({ output }: CliContext, sources: readonly LogSource[], count: number): Promise<void> {
  const logs = await Promise.all(
    sources.map(async ({ name, place, last }) => ({ name, path: place, lines: await last(count) })),
  );
  output.result(logs, () =>
    logs.map((log) => (logs.length > 1 ? [`== ${log.name}`, ...log.lines] : log.lines).join('\n')).join('\n'),
  );
}

async function follow(
  { output, signal }: CliContext,
  sources: readonly LogSource[],
  count: number,
): Promise<void> {
  await Promise.all(
    sources.map(async (source) => {
      for await (const line of source.follow({ lines: count, signal })) {
        const text = output.json ? JSON.stringify({ name: source.name, line }) : line;
        output.raw(sources.length > 1 && !output.json ? `${source.name}: ${text}\n` : `${text}\n`);
      }
    }),
  );
}

import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { followLogs, logFiles, logLines } from '../../fleet/logs.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
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
    .option('--follow', 'go on as lines are written')
    .action(async (name: string | undefined, options: LogsOptions) => {
      const lines = Number(options.lines);
      if (!Number.isInteger(lines) || lines < 0)
        throw new BerthError('USAGE', { detail: '--lines is a whole number', command: 'logs' });
      const loaded = await loadWithoutSecrets(context, options);
      const files = logFiles(context.world, loaded, name);
      if (options.follow) await follow(context, files, lines);
      else await print(context, files, lines);
    });
}

type Files = ReturnType<typeof logFiles>;

async function print({ output }: CliContext, files: Files, count: number): Promise<void> {
  const logs = await Promise.all(
    files.map(async (file) => ({ ...file, lines: await logLines(file.path, count) })),
  );
  output.result(logs, () =>
    logs.map((log) => (logs.length > 1 ? [`== ${log.name}`, ...log.lines] : log.lines).join('\n')).join('\n'),
  );
}

async function follow({ world, output, signal }: CliContext, files: Files, count: number): Promise<void> {
  await Promise.all(
    files.map(async (file) => {
      for await (const line of followLogs(world, file.path, { lines: count, signal })) {
        const text = output.json ? JSON.stringify({ name: file.name, line }) : line;
        output.raw(files.length > 1 && !output.json ? `${file.name}: ${text}\n` : `${text}\n`);
      }
    }),
  );
}

import type { Command } from 'commander';
import { disown } from '../../fleet/adopt/disown.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth disown mistral', 'Takes the mark off; it goes on running, and berth no longer knows it.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<names...>', 'deployments that were adopted')
    .action(async (names: string[], options: FileOptions) => {
      const { world, output } = context;
      const loaded = await loadWithoutSecrets(context, options);
      const done = await disown(world, loaded, {
        names,
        onProgress: output.progress,
        signal: context.signal,
      });
      const disowned = done.map(({ mark, object, process }) => ({
        deployment: mark?.deployment ?? '',
        object: object.name,
        pid: process?.pid ?? null,
      }));
      output.result({ fleet: loaded.fleet, disowned }, () =>
        [
          `Disowned, and still running: ${disowned.map((one) => `${one.deployment} (${one.object})`).join(', ')}.`,
          'Take it out of the fleet file too: while it stands there, "berth apply" would start another one.',
        ].join('\n'),
      );
    });
}

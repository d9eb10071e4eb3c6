import type { Command } from 'commander';
import { down } from '../../fleet/down.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth down', "Stops this fleet's engines, gateway and console. Nothing else is touched."],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command).action(async (options: FileOptions) => {
    const loaded = await loadWithoutSecrets(context, options);
    const { up, stopped } = await down(context.world, loaded, context.output.progress);
    const engines = stopped.map(({ mark, process, object }) => ({
      deployment: mark?.deployment ?? '',
      replica: mark?.replica ?? 0,
      pid: process?.pid ?? null,
      object: object.name,
    }));
    context.output.result({ fleet: loaded.fleet, up, stopped: engines }, () => {
      if (engines.length === 0 && up === null) return `Nothing of fleet ${loaded.fleet} was running.`;
      const names = engines.map((engine) => `${engine.deployment} (${engine.pid ?? engine.object})`);
      return `Fleet ${loaded.fleet} is down: ${[...(up === null ? [] : ['gateway and console']), ...names].join(', ')}.`;
    });
  });
}

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { Duration } from '../../domain/units.ts';
import { drainHost } from '../../fleet/apply/drain-host.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import type { CliContext } from '../context.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { trafficOfUp } from '../up-traffic.ts';

export const examples = [
  [
    'berth drain box',
    'Takes requests away from the engines of that host, waits for those under way, stops them.',
  ],
  ['berth drain box --only mistral', 'Just the engines of one deployment there.'],
] as const;

interface DrainCommandOptions extends FileOptions {
  readonly only?: readonly string[];
  readonly wait: number;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<host>', 'a host of the fleet file; "local" where it names none')
    .option('--only <names...>', 'just the engines of these deployments')
    .option('--wait <duration>', 'cut off what is still under way after so long', durationOption, 600_000)
    .action(async (host: string, { only, wait, ...options }: DrainCommandOptions) => {
      const { world, output, signal } = context;
      const loaded = await loadDespiteFaults(context, options);
      if (!(await readUpState(world, loaded)))
        output.progress('No gateway of this fleet runs here: requests at its engines are not waited for.');
      const { stopped, unserved, onDemand } = await drainHost(world, loaded, {
        host,
        ...(only ? { only } : {}),
        traffic: await trafficOfUp(context, loaded, loaded.files),
        patienceMs: wait,
        signal,
        onProgress: output.progress,
      });
      const engines = stopped.map(({ mark, object }) => ({
        deployment: mark?.deployment ?? '',
        replica: mark?.replica ?? 0,
        object: object.name,
      }));
      output.result({ host, stopped: engines, unserved, onDemand }, () =>
        [
          engines.length === 0
            ? `Nothing of fleet ${loaded.fleet} was running on ${host}.`
            : `Host ${host} is drained: stopped ${engines.map((one) => `${one.deployment} (${one.object})`).join(', ')}.`,
          ...(unserved.length > 0 ? [`No engine serves ${unserved.join(', ')} now.`] : []),
          ...(onDemand.length > 0
            ? [`${onDemand.join(', ')} starts there again with its next request, while "berth up" runs.`]
            : []),
          '"berth apply" starts again what the file names there; to keep the host empty, name another one in the file.',
        ].join('\n'),
      );
    });
}

function durationOption(text: string): number {
  const parsed = Duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It must be a time such as 90s or 10m.');
}

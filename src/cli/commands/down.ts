import type { Command } from 'commander';
import { down } from '../../fleet/down.ts';
import type { Down } from '../../fleet/down.ts';
import { noTraffic } from '../../fleet/traffic.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { trafficOfUp } from '../up-traffic.ts';

export const examples = [
  ['berth down', "Stops this fleet's engines, gateway and console. Nothing else is touched."],
  ['berth down --only mistral', 'Stops this deployment alone, its requests first; gateway and console stay.'],
] as const;

interface DownCommandOptions extends FileOptions {
  readonly only?: readonly string[];
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--only <names...>', 'stop these deployments alone, and leave gateway and console')
    .action(async ({ only, ...options }: DownCommandOptions) => {
      const loaded = await loadWithoutSecrets(context, options);
      const result = await down(context.world, loaded, {
        onProgress: context.output.progress,
        signal: context.signal,
        // Without names the gateway has ended by then.
        traffic: only ? await trafficOfUp(context, loaded) : noTraffic,
        ...(only ? { only } : {}),
      });
      report(context, loaded.fleet, { ...result, only: only ?? null });
    });
}

function report(
  { output }: CliContext,
  fleet: string,
  { up, stopped, silent, only }: Down & { only: readonly string[] | null },
): void {
  const engines = stopped.map(({ mark, process, object }) => ({
    deployment: mark?.deployment ?? '',
    replica: mark?.replica ?? 0,
    pid: process?.pid ?? null,
    object: object.name,
  }));
  const unseen = [...silent].map(([host, error]) => ({ host, message: error.message }));
  output.result({ fleet, up, stopped: engines, silent: unseen }, () => {
    const notSeen = unseen.map(
      ({ host, message }) => `Host ${host} could not be looked at: ${message} What runs there goes on.`,
    );
    const names = engines.map((engine) => `${engine.deployment} (${engine.pid ?? engine.object})`);
    const all = [...(up === null ? [] : ['gateway and console']), ...names].join(', ');
    const what =
      all === ''
        ? `Nothing of ${only ? only.join(' and ') : `fleet ${fleet}`} was running.`
        : only
          ? `Stopped: ${all}. "berth apply" starts again what the file still names.`
          : `Fleet ${fleet} is down: ${all}.`;
    return [what, ...notSeen].join('\n');
  });
}

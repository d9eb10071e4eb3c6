import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ArmStatus, ExperimentStatus } from '../../domain/experiment.ts';
import { experimentStatus } from '../../fleet/gateway/experiments.ts';
import { fleetPaths } from '../../fleet/file/paths.ts';
import { tokenOfFile } from '../../io/token-file.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth experiment status', 'How the arms of each experiment compare, and whether that is enough to tell.'],
  ['berth experiment status quant --json', 'One of them, for machines.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command.command('status'))
    .argument('[name]', 'an experiment of the fleet file')
    .description('Hold the arms of experiments against each other, by what the running gateway has counted.')
    .action(async (name: string | undefined, options: FileOptions) => {
      const { world, output } = context;
      const loaded = await loadWithoutSecrets(context, options);
      const known = Object.keys(loaded.experiments);
      if (name !== undefined && !known.includes(name))
        throw new BerthError('EXPERIMENT_UNKNOWN', { name, known });
      const token = await tokenOfFile(world.files, fleetPaths(world, loaded).controlToken);
      const all = await experimentStatus(world, loaded, token);
      const shown = all.filter(({ experiment }) => name === undefined || experiment === name);
      output.result(shown, () =>
        shown.length === 0 ? 'The fleet file has no experiments.' : shown.map(statusText).join('\n\n'),
      );
    });
}

function statusText(status: ExperimentStatus): string {
  const { arms, experiment, metric, ratio } = status;
  const rows = arms.map((arm) => [
    arm.arm,
    arm.deployment,
    String(arm.units),
    String(arm.requests),
    figure(arm.value, metric),
    intervalText(arm, metric),
    arm.verdict ?? '-',
  ]);
  return [
    `${experiment}: ${metric}, less is better; intervals hold however often one looks (${100 * (1 - status.alpha)} %)`,
    table([['ARM', 'DEPLOYMENT', 'CLIENTS', 'REQUESTS', 'VALUE', 'INTERVAL', 'VERDICT'], ...rows], [2, 3, 4]),
    ratioText(ratio),
    ...(arms.some((arm) => arm.requests < status.least) && metric !== 'error_rate'
      ? [`Each arm needs ${status.least} requests before ${metric} can be bounded.`]
      : []),
  ].join('\n');
}

function ratioText({ state, e }: ExperimentStatus['ratio']): string {
  if (state === 'mismatch')
    return `Clients were not dealt out as the weights say (evidence ${e.toPrecision(3)}): do not trust the verdict. A weight or an arm was changed or unreachable meanwhile.`;
  return state === 'ok'
    ? 'Clients are dealt out as the weights say.'
    : 'No client has said who it is: whether they are dealt out as the weights say is not known.';
}

function figure(value: number | null, metric: string): string {
  if (value === null) return '-';
  return metric === 'error_rate' ? `${(100 * value).toFixed(2)} %` : `${value.toPrecision(3)} s`;
}

function intervalText({ interval }: ArmStatus, metric: string): string {
  if (!interval) return '-';
  return `${figure(interval.low, metric)} … ${interval.high === null ? 'not bounded yet' : figure(interval.high, metric)}`;
}

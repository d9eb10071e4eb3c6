import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ArmStatus, ExperimentStatus } from '../../domain/experiment.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { withCounts } from '../../fleet/gateway/experiment-counts.ts';
import { experimentStatus } from '../../fleet/gateway/experiments.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth experiment status', 'How the arms of each experiment compare, and whether that is enough to tell.'],
  ['berth experiment status quant --json', 'One of them, for machines.'],
  ['berth experiment reset quant', 'Forgets what was counted of it, after an arm was changed.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command.command('status'))
    .argument('[name]', 'an experiment of the fleet file')
    .description('Hold the arms of experiments against each other, by what gateways have counted.')
    .action(async (name: string | undefined, options: FileOptions) => {
      const { world, output } = context;
      const loaded = await loadWithoutSecrets(context, options);
      if (name !== undefined) expectKnown(loaded, name);
      const { experiments, partly } = await experimentStatus(world, loaded);
      const shown = experiments.filter(({ experiment }) => name === undefined || experiment === name);
      if (partly !== null)
        output.progress(
          `berth: what gateways count together is not known (${partly}): counts of this machine alone`,
        );
      output.result(shown, () =>
        shown.length === 0 ? 'The fleet file has no experiments.' : shown.map(statusText).join('\n\n'),
      );
    });
  addFileOption(command.command('reset'))
    .argument('<name>', 'an experiment of the fleet file')
    .description('Forget what was counted of an experiment, so that it begins anew.')
    .action(async (name: string, options: FileOptions) => {
      const { world, output } = context;
      const loaded = await loadWithoutSecrets(context, options);
      expectKnown(loaded, name);
      await withCounts(world, loaded, async ({ forget, partly }) => {
        if (partly !== null) throw new BerthError('EXPERIMENT_STORE_ABSENT', { name, reason: partly });
        await forget(name);
      });
      output.result({ experiment: name, reset: true }, () => `${name} begins anew.`);
    });
}

/** Throws EXPERIMENT_UNKNOWN. */
function expectKnown({ experiments }: LoadedFleet, name: string): void {
  const known = Object.keys(experiments);
  if (!known.includes(name)) throw new BerthError('EXPERIMENT_UNKNOWN', { name, known });
}

function statusText(status: ExperimentStatus): string {
  const { arms, experiment, metric, ratio } = status;
  const rows = arms.map((arm) => [
    arm.arm,
    arm.deployment,
    String(arm.units),
    String(arm.requests),
    String(arm.worth),
    figure(arm.value, metric),
    intervalText(arm, metric),
    arm.verdict ?? '-',
  ]);
  return [
    `${experiment}: ${metric}, less is better; intervals hold however often one looks (${100 * (1 - status.alpha)} %)`,
    table(
      [['ARM', 'DEPLOYMENT', 'CLIENTS', 'REQUESTS', 'WORTH', 'VALUE', 'INTERVAL', 'VERDICT'], ...rows],
      [2, 3, 4, 5],
    ),
    ratioText(ratio),
    ...(arms.some((arm) => arm.worth < status.least) && metric !== 'error_rate'
      ? [
          `Each arm needs requests worth ${status.least} before ${metric} can be bounded; those of one client are worth fewer than they are.`,
        ]
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

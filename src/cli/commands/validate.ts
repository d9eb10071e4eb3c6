import type { Command } from 'commander';
import { asWritten, foreseen } from '../../fleet/plan/foresee.ts';
import { refusedTargets } from '../../fleet/plan/refused.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { findingText } from '../text/plan-text.ts';

export const examples = [
  ['berth validate', 'Tells every fault of ./berth.yaml at once, with line and column.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command).action(async (options: FileOptions) => {
    const loaded = await loadFrom(context, options);
    const deployments = loaded.deployments.map((one) => one.name);
    const files = loaded.files.map((file) => file.path);
    const written = asWritten(loaded);
    const findings = [
      ...loaded.warnings,
      ...foreseen(loaded, written, () => 0),
      ...refusedTargets(written, loaded),
    ];
    context.output.result({ valid: true, fleet: loaded.fleet, files, deployments, findings }, () =>
      [
        `Fleet ${loaded.fleet} is valid: ${deployments.length} ${deployments.length === 1 ? 'deployment' : 'deployments'} in ${files.join(', ')}.`,
        ...findings.map(findingText),
      ].join('\n'),
    );
  });
}

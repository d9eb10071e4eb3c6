import type { Command } from 'commander';
import { listRuns } from '../../bench/run/runs.ts';
import type { RunSummary } from '../../domain/run/report.ts';
import type { CliContext } from '../context.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth runs', 'Every benchmark that was run here, newest first.'],
  ['berth runs --json', 'The same for machines.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command.action(async () => {
    const runs = await listRuns(context.world);
    context.output.result(runs, () =>
      runs.length === 0
        ? `No runs in ${context.world.places.runs}. "berth bench" makes one.`
        : table([['RUN', 'STATE', 'OF', 'OUTPUT TOKENS/S'], ...runs.map(rowOf)]),
    );
  });
}

function rowOf(run: RunSummary): string[] {
  const rates = run.stages.map((stage) => `${stage.label} ${stage.outputTokensPerSecond?.toFixed(1) ?? '-'}`);
  return [run.id, run.state, run.target.deployment ?? run.target.url, rates.join(', ') || '-'];
}

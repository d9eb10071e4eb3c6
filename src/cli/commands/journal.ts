import type { Command } from 'commander';
import type { JournalEntry } from '../../domain/journal.ts';
import { readJournal } from '../../fleet/apply/journal.ts';
import type { CliContext } from '../context.ts';
import { countOption } from '../count-option.ts';
import { addFileOption } from '../fleet-file.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import type { FileOptions } from '../fleet-file.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth journal', 'Who changed which engine, when, by which command, and what came of it.'],
  ['berth journal mistral --limit 5', 'The last five changes of one deployment.'],
] as const;

interface JournalOptions extends FileOptions {
  readonly limit: number;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('[names...]', 'deployments; without any, all that were ever changed')
    .option('--limit <n>', 'show no more than the newest n changes', countOption(1, 1_000_000), 50)
    .action(async (names: string[], options: JournalOptions) => {
      const { world, output } = context;
      const loaded = await loadDespiteFaults(context, options);
      const { path, entries, damaged } = await readJournal(world, loaded);
      const shown = entries
        .filter((one) => names.length === 0 || names.includes(one.deployment ?? ''))
        .slice(-options.limit);
      if (damaged > 0) output.progress(`berth: ${damaged} lines of ${path} cannot be read and are left out`);
      output.result({ path, damaged, entries: shown }, () =>
        shown.length === 0 ? 'Nothing was changed yet.' : table([head, ...shown.map(rowOf)]),
      );
    });
}

const head = ['WHEN', 'WHO', 'COMMAND', 'PLAN', 'WHAT', 'OUTCOME', 'WHY'];

function rowOf(entry: JournalEntry): string[] {
  const { who, object, became, error, outcome } = entry;
  const user = who.user ?? `uid ${who.uid}`;
  const name = entry.replica ? `${entry.deployment}-${entry.replica}` : (entry.deployment ?? '');
  return [
    entry.at,
    `${who.sudoUser ? `${who.sudoUser} as ${user}` : user}@${who.machine}`,
    entry.command,
    entry.plan ?? '-',
    [entry.do, name, [object, became].filter((one) => one !== null).join(' → ')]
      .filter((part) => part !== '')
      .join(' '),
    error ? `${outcome}: ${error.message}` : outcome,
    entry.reasons.join('; '),
  ];
}

import type { Command } from 'commander';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { KeyView, NewKey } from '../../domain/key-record.ts';
import type { CliContext } from '../context.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { keyManager } from '../key-manager.ts';
import type { KeyManager } from '../key-manager.ts';
import { addKeyOptions, byWhatWasTyped, graceOf, wishOf } from '../key-options.ts';
import type { KeyOptions } from '../key-options.ts';
import { spendingOf, takeInKeys } from '../running-gateway.ts';
import { keyListText, spentBy } from '../text/key-list-text.ts';

export const examples = [
  ['berth keys add laptop', 'Makes a key and prints it, this once, on a line of its own.'],
  ['berth keys add guest --model small --expires 30d --rpm 20', 'One that is bounded.'],
  ['berth keys list', 'Names, scopes, limits, and what was spent of budgets; never a key.'],
  ['berth keys rotate laptop --grace 1h', 'A new secret; the old one holds for another hour.'],
  ['berth keys revoke guest', 'Takes effect at once; requests under way go on.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addKeyOptions(addFileOption(command.command('add')))
    .argument('<name>', 'what to call it')
    .description('Make a key for clients of the gateway. It is printed once and kept as a hash.')
    .action((name: string, options: FileOptions & KeyOptions) =>
      withKeys(context, options, async (keys) => {
        const wish = wishOf(name, options, context.world.clock.wall());
        const made = await byWhatWasTyped(options, () => keys.add(wish));
        return { shown: made, said: `The key ${name} is made. It is shown this once.` };
      }),
    );
  addFileOption(command.command('list'))
    .description('Keys of the gateway: those of the fleet file and those that were made.')
    .action((options: FileOptions) => list(context, options));
  addFileOption(command.command('rotate'))
    .argument('<name>', 'name or id of the key')
    .option('--grace <time>', 'how long the old secret is good as well', '0s')
    .description('Give a key a new secret; name, scopes, limits and counts stay.')
    .action((name: string, options: FileOptions & { readonly grace: string }) =>
      withKeys(context, options, async (keys) => {
        const made = await keys.rotate(name, graceOf(options.grace));
        const old = made.previousUntil === null ? 'no longer good' : `good until ${made.previousUntil}`;
        return {
          shown: made,
          said: `The key ${made.name} has a new secret, shown this once; the old one is ${old}.`,
        };
      }),
    );
  addFileOption(command.command('revoke'))
    .argument('<name>', 'name or id of the key')
    .description('Take a key away at once. Requests under way go on to their end.')
    .action((name: string, options: FileOptions) =>
      withKeys(context, options, async (keys) => {
        const gone = await keys.revoke(name);
        return { shown: gone, said: `The key ${gone.name} is revoked.` };
      }),
    );
}

interface Outcome {
  readonly shown: NewKey | KeyView;
  readonly said: string;
}

/** Changes the file of keys, prints, and has a running gateway take the change in. On stdout stands the key alone, or the JSON. */
async function withKeys(
  context: CliContext,
  options: FileOptions,
  change: (keys: KeyManager) => Promise<Outcome>,
): Promise<void> {
  const { world, output } = context;
  const loaded = await loadDespiteFaults(context, options);
  const { shown, said } = await change(keyManager(world, () => loaded, 'keys'));
  const taken = await takeInKeys(world, loaded);
  const notInForce = taken.by === 'kept' ? taken.reason : null;
  output.result({ ...shown, running: taken.by !== 'none', notInForce }, () =>
    'key' in shown ? shown.key : '',
  );
  if (!output.json) output.progress(said);
  if (notInForce === null) {
    if (!output.json && taken.by === 'none')
      output.progress('No gateway runs; it holds when one is started.');
    return;
  }
  output.progress(
    `berth: the running gateway has not taken this in: ${notInForce}\nRun "berth apply", which has it read everything again.`,
  );
  context.exit(exitCodes.fault);
}

/** With what each has spent, as the running gateway counts it. */
async function list(context: CliContext, options: FileOptions): Promise<void> {
  const { world, output } = context;
  const loaded = await loadDespiteFaults(context, options);
  const [keys, spending] = await Promise.all([
    keyManager(world, () => loaded, 'keys').list(),
    spendingOf(world, loaded),
  ]);
  const shown = keys.map((key) => ({ ...key, spent: spentBy(key, spending) }));
  const spentUnknown = 'unknown' in spending ? spending.unknown : null;
  output.result({ fleet: loaded.fleet, keys: shown, spentUnknown }, () =>
    keyListText(loaded, shown, spentUnknown),
  );
}

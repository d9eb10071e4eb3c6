import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import { consoleAddress, consoleTokenFile } from '../console-address.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { loadOrApplied } from '../despite-faults.ts';

export const examples = [
  ['berth console', 'Prints the address to open in a browser. It holds the token: do not pass it on.'],
  ['berth console --json', 'The address without the token, and the file that holds it.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command).action(async (options: FileOptions) => {
    const { world, output } = context;
    // With a fault in its file a fleet that is up has its console all the same.
    const { loaded: of } = await loadOrApplied(context, options);
    const { fleet } = of;
    const url = (await readUpState(world, of))?.console?.url;
    if (!url) throw new BerthError('CONSOLE_CLOSED', { fleet });
    const address = await consoleAddress(world, of, url);
    output.result({ fleet, url, tokenFile: consoleTokenFile(world, of) }, () => address);
  });
}

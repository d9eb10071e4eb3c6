import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import { consoleAddress, consoleTokenFile } from '../console-address.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth console', 'Prints the address to open in a browser. It holds the token: do not pass it on.'],
  ['berth console --json', 'The address without the token, and the file that holds it.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command).action(async (options: FileOptions) => {
    const { world, output } = context;
    const loaded = await loadWithoutSecrets(context, options);
    const { fleet } = loaded;
    const url = (await readUpState(world, loaded))?.console?.url;
    if (!url) throw new BerthError('CONSOLE_CLOSED', { fleet });
    const address = await consoleAddress(world, loaded, url);
    output.result({ fleet, url, tokenFile: consoleTokenFile(world, loaded) }, () => address);
  });
}

import { Command } from 'commander';
import type { CommandModule } from './command.ts';
import { commands } from './commands.ts';
import type { CliContext } from './context.ts';

/** The whole command line; only the command that these words call is loaded and knows its options. */
export async function buildProgram(
  argv: readonly string[],
  version: string,
  contextOf: () => Promise<CliContext>,
): Promise<Command> {
  const program = new Command('berth')
    .description('Gives every self-hosted LLM a place to run. Without a command: what runs on this machine.')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .enablePositionalOptions();
  for (const entry of commands) {
    const command = program.command(entry.name).description(entry.summary);
    if (entry.name === argv[0] || (argv[0] === 'help' && entry.name === argv[1])) {
      const module = await entry.load();
      module.configure(command, await contextOf());
      addCommonOptions(command);
      addExamples(command, module);
    }
  }
  return program;
}

function addCommonOptions(command: Command): void {
  for (const below of command.commands) addCommonOptions(below);
  for (const [flags, what] of commonOptions) {
    const known = command.options.some((option) => option.long === flags.split(' ')[0]);
    if (!known) command.option(flags, what);
  }
}

const commonOptions = [
  ['--json', 'print the result as JSON'],
  ['--state-dir <folder>', 'keep state, data and runtime files below this folder'],
  ['--verbose', 'log more'],
] as const;

function addExamples(command: Command, { examples = [] }: CommandModule): void {
  if (examples.length === 0) return;
  const lines = examples.map(([line, what]) => `  ${line}\n      ${what}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** One command: its file under commands/ adds arguments, options and the action. Loaded only when it is called. */
export interface CommandModule {
  /** Whole command lines that a user may type, each with what it does; shown below the help page and in the docs. */
  readonly examples?: readonly (readonly [line: string, what: string])[];
  readonly configure: (command: Command, context: CliContext) => void;
}

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
  /** SIGHUP has it read its file again, and never ends it. */
  readonly readsAgain?: true;
}

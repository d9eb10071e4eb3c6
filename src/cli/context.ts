import type { ExitCode } from '../domain/exit-codes.ts';
import type { HangUps } from '../io/hang-ups.ts';
import type { World } from '../io/world.ts';
import type { Output } from './output.ts';

/** What every command is given. */
export interface CliContext {
  readonly world: World;
  readonly output: Output;
  readonly cwd: string;
  /** Aborts on the first Ctrl-C or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** Null for a command that SIGHUP ends. */
  readonly hangUps: HangUps | null;
  /** Asks the person at the terminal; null where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Ends the command with this code; throwing a BerthError is the other way. */
  readonly exit: (code: ExitCode) => void;
}

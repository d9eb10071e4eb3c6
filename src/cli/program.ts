import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { exitCodes } from '../domain/exit-codes.ts';
import type { ExitCode } from '../domain/exit-codes.ts';
import type { HangUps } from '../io/hang-ups.ts';
import type { World } from '../io/world.ts';
import { buildProgram } from './build-program.ts';
import type { CliContext } from './context.ts';
import { createOutput } from './output.ts';
import type { Output } from './output.ts';
import { asker } from './terminal.ts';

/** Runs one command line and gives the exit code; never ends the process itself but on a second interrupt. */
export async function runCommandLine(
  argv: readonly string[],
  version: string,
  hangUps: HangUps | null,
): Promise<ExitCode> {
  const output = createOutput({ json: argv.includes('--json') });
  const interrupt = new AbortController();
  const stopListening = onInterrupt(interrupt);
  endWithReaders(interrupt);
  let code: ExitCode = exitCodes.done;
  let command = '';
  let opened: World | null = null;
  async function contextOf(): Promise<CliContext> {
    const world = await createWorld(argv);
    opened = world;
    return {
      world,
      output,
      cwd: process.cwd(),
      signal: interrupt.signal,
      hangUps,
      ask: asker(interrupt.signal),
      exit: (wanted) => (code = wanted),
    };
  }
  try {
    const words = namesCommand(argv) || argv.some(isHelp) ? [...argv] : ['scan', ...argv];
    const program = await buildProgram(words, version, contextOf);
    command = namedCommand(program, words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    code = await report(error, { command, output, signal: interrupt.signal });
  } finally {
    await (opened as World | null)?.close();
    stopListening();
  }
  return code;
}

/**
 * The first signal aborts, a later one ends the process at once. Signals close together count as one: npm passes on what the
 * terminal has sent to all of its processes already.
 */
function onInterrupt(interrupt: AbortController): () => void {
  let first = 0;
  function onSignal(): void {
    if (!interrupt.signal.aborted) {
      first = performance.now();
      interrupt.abort();
    } else if (performance.now() - first > 500) {
      process.exit(exitCodes.interrupted);
    }
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
}

/**
 * Whoever read the results has gone, as "| head" does: nothing more is for anybody, and what goes on ends as after an interrupt.
 * Progress that nobody reads is dropped, and the work goes on.
 */
function endWithReaders(interrupt: AbortController): void {
  process.stdout.on(
    'error',
    ignoreClosed(() => interrupt.abort()),
  );
  process.stderr.on(
    'error',
    ignoreClosed(() => {}),
  );
}

function ignoreClosed(act: () => void): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== 'EPIPE') throw error;
    act();
  };
}

async function createWorld(argv: readonly string[]): Promise<World> {
  const { localWorld } = await import('../io/local-world.ts');
  const { createLog } = await import('../io/log.ts');
  const stateDir = optionValue(argv, '--state-dir');
  const log = createLog({
    level: argv.includes('--verbose') ? 'debug' : 'info',
    json: argv.includes('--json'),
  });
  return localWorld({ ...(stateDir ? { stateDir } : {}), log });
}

/** A first word that is not an option names a command, known or not. */
function namesCommand(argv: readonly string[]): boolean {
  return argv[0] !== undefined && !argv[0].startsWith('-');
}

/** "bench selftest": the words that lead to a command of the program. */
function namedCommand(program: Command, words: readonly string[]): string {
  const names: string[] = [];
  let here = program;
  for (const word of words) {
    const below = here.commands.find((one) => one.name() === word);
    if (!below) break;
    names.push(word);
    here = below;
  }
  return names.join(' ');
}

function isHelp(word: string): boolean {
  return ['-h', '--help', 'help', '-V', '--version'].includes(word);
}

function optionValue(argv: readonly string[], name: string): string | undefined {
  const at = argv.indexOf(name);
  if (at >= 0) return argv[at + 1];
  return argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Of a command that only holds others Commander has printed the help, and tells nothing more. */
function detailOf({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'which of these commands?' : message.replace(/^error: /, '');
}

/** What, where and how to cure, on stderr; with --json the same as an object on stdout. */
async function report(
  error: unknown,
  { command, output, signal }: { command: string; output: Output; signal: AbortSignal },
): Promise<ExitCode> {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
  const { BerthError } = await import('../domain/errors/berth-error.ts');
  const { placeFault } = await import('../io/system-fault.ts');
  const known =
    error instanceof CommanderError
      ? new BerthError('USAGE', { detail: detailOf(error), command })
      : (placeFault(error) ?? error);
  if (known instanceof BerthError) {
    if (output.json) output.result({ error: known.toJSON() }, () => '');
    else output.progress(`berth: ${known.message}\n${known.cure}`);
    return known.exitCode;
  }
  if (signal.aborted) return exitCodes.interrupted;
  output.progress(
    `berth: unexpected fault, please report it\n${error instanceof Error ? error.stack : String(error)}`,
  );
  return exitCodes.fault;
}

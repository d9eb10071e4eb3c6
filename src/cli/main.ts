import { commands } from './commands.ts';
import { takeHangUps } from '../io/hang-ups.ts';
import { frontPage } from './text/front-page.ts';

/**
 * Runs one command line and gives the exit code; never ends the process itself. The front page and the version are answered
 * here: the library that reads command lines takes longer to load than they may take altogether.
 */
export async function main(argv: readonly string[], version: string): Promise<number> {
  const only = argv.length === 1 ? argv[0] : undefined;
  if (only === '--help' || only === '-h' || only === 'help') {
    process.stdout.write(frontPage(commands));
    return 0;
  }
  if (only === '--version' || only === '-V') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  // Before all else is loaded. What waits for one in the background goes with its terminal, as any command.
  const entry = commands.find(({ name }) => name === argv[0]);
  const hangUps = entry?.readsAgain && !argv.includes('--detach') ? takeHangUps() : null;
  const { runCommandLine } = await import('./program.ts');
  return runCommandLine(argv, version, hangUps);
}

import type { CommandEntry } from '../command.ts';

/** What `berth --help` prints: every command with its summary, and where to read on. */
export function frontPage(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Usage: berth [command] [options]',
    '',
    'Gives every self-hosted LLM a place to run. Without a command: what runs on this machine.',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Options:',
    '  -h, --help     this page; "berth <command> --help" for one command',
    '  -V, --version  the version',
    '',
  ].join('\n');
}

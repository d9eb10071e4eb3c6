import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureNamedChange } from '../named-change.ts';

export const examples = [
  ['berth restart mistral', 'Ends it and starts it anew, beside the old one where there is room for both.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  configureNamedChange(command, context, { name: 'restart' });
}

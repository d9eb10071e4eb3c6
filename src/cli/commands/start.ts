import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureNamedChange } from '../named-change.ts';
import { changeRest } from '../rest-change.ts';

export const examples = [
  ['berth start mistral', 'Starts what was stopped, and touches no other deployment.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  configureNamedChange(command, context, {
    name: 'start',
    rest: (names) => changeRest(names, false),
  });
}

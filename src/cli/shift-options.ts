import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { Duration } from '../domain/units.ts';
import type { EaseOptions } from '../fleet/relocate/ease.ts';
import type { CliContext } from './context.ts';

export interface ShiftOptions {
  readonly stepTime?: number;
}

/** How requests go from an engine to the one that takes its place. */
export function addShiftOptions(command: Command): Command {
  return addStepTime(command).option(
    '--at-once',
    'give the new engine all requests as soon as it answers, without comparing',
  );
}

export function addStepTime(command: Command): Command {
  return command.option(
    '--step-time <duration>',
    'how long each step waits for requests to compare by; 30s unless said otherwise',
    stepTime,
  );
}

export function shiftOf(
  { signal, output }: CliContext,
  { stepTime: stepMs = 30_000 }: ShiftOptions,
): Omit<EaseOptions, 'world'> {
  return { signal, onProgress: output.progress, stepMs };
}

function stepTime(text: string): number {
  const parsed = Duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It must be a time such as 30s or 2m.');
}

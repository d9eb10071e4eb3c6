import type { Command } from 'commander';
import type { Against } from '../../domain/against.ts';
import { ChangeLimitText, changeLimitForm } from '../../domain/change-limit.ts';
import { number, usage } from './bench-numbers.ts';

/** What the run is held against when it is over. */
export interface AgainstOptions {
  readonly baseline?: string;
  readonly limit?: readonly string[];
  readonly tolerance?: string;
  readonly confirm?: boolean;
}

export function addAgainstOptions(command: Command): Command {
  return command
    .option(
      '--baseline <run>',
      'hold the run against this one (@NAME, last, a folder, the file of another tool); exit code 4 when it is worse',
    )
    .option(
      '--limit <change...>',
      'what may change at most against the baseline, else exit code 4: "ttft.p95 <= +10%" "output_rate >= -5%"',
    )
    .option('--tolerance <percent>', 'changes against the baseline up to this are none (default 5)')
    .option(
      '--confirm',
      'measure a run that is worse than its baseline once more; exit code 4 only when both are',
    );
}

/** Throws USAGE for what belongs to a baseline where there is none. */
export function against(wanted: { against?: Against | undefined }, options: AgainstOptions): void {
  const { baseline = wanted.against?.baseline, limit, tolerance, confirm } = options;
  const said = Object.entries({ limit, tolerance, confirm }).find(([, value]) => value !== undefined);
  if (baseline === undefined) {
    if (said) throw usage(`--${said[0]} is about the change against a baseline: name one with --baseline.`);
    return;
  }
  wanted.against = {
    baseline,
    changes: limit?.map(limitOf) ?? wanted.against?.changes ?? [],
    tolerance: tolerance === undefined ? (wanted.against?.tolerance ?? 5) : toleranceOf(tolerance),
    confirm: confirm ?? wanted.against?.confirm ?? false,
  };
}

function limitOf(text: string): string {
  if (ChangeLimitText.safeParse(text).success) return text.trim();
  throw usage(`--limit is ${changeLimitForm}; not "${text}".`);
}

function toleranceOf(text: string): number {
  const percent = number(text, '--tolerance');
  if (percent < 100) return percent;
  throw usage(`--tolerance is a percentage from 0 to 99, not "${text}".`);
}

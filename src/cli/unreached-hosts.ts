import { exitOfCode } from '../domain/errors/table.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import type { ExitCode } from '../domain/exit-codes.ts';
import type { Plan } from '../domain/plan.ts';

type Unreached = NonNullable<Plan['unreached']>;

/** Hosts that a plan leaves as they are since they could not be looked at, where it was to have something of them. */
export function unreachedHosts({ unreached = [], only, actions }: Plan): Unreached {
  const allThere = only?.every((name) => actions.some(({ deployment }) => deployment === name)) ?? false;
  return allThere ? [] : unreached;
}

/** How a command ends that could do nothing there: as for the fault itself, or with the rest done as for a part. */
export function exitOf([first]: Unreached, changed: boolean): ExitCode {
  return exitCodes[changed ? 'partlyApplied' : (exitOfCode(first?.code ?? '') ?? 'fault')];
}

import { exitOfCode } from '../domain/errors/table.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import type { ExitCode } from '../domain/exit-codes.ts';
import type { Finding } from '../domain/finding.ts';
import type { Plan } from '../domain/plan.ts';

/** Hosts that a plan leaves as they are since they could not be looked at, where it was to have something of them. */
export function unreachedHosts({ findings, only, actions }: Plan): Finding[] {
  const allThere = only?.every((name) => actions.some(({ deployment }) => deployment === name)) ?? false;
  // One that no deployment is for is told, and nothing is missing for it.
  return allThere
    ? []
    : findings.filter(({ rule, severity }) => rule === 'host-unreachable' && severity === 'critical');
}

/** How a command ends that could do nothing there: as for the fault itself, or with the rest done as for a part. */
export function exitOf([first]: readonly Finding[], changed: boolean): ExitCode {
  return exitCodes[changed ? 'partlyApplied' : (exitOfCode(first?.evidence[0] ?? '') ?? 'fault')];
}

import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Plan } from '../../domain/plan.ts';
import { programMissing } from '../../domain/program-missing.ts';
import type { DesiredReplica } from './desired.ts';

/**
 * Deployments whose program is not there, each once: a warning where what runs of it stays as it is, else critical. `told`: what their
 * targets say already. Pure.
 */
export function missingPrograms(
  { actions }: Plan,
  desired: readonly DesiredReplica[],
  told: readonly Finding[],
): Finding[] {
  const known = new Set(told.filter(isProgramMissing).map(({ object }) => object));
  return desired.flatMap(({ deployment: { name }, replica, missing }): Finding[] => {
    if (missing === undefined || replica > 0 || known.has(name)) return [];
    const own = actions.filter((action) => action.deployment === name);
    const stays = own.length > 0 && own.every((action) => action.do === 'keep');
    return [programMissing(name, missing, stays ? 'warning' : 'critical')];
  });
}

/** What the plan itself knows that it cannot start. A program that is there by now was not asked for its flags. */
export function unstartable({ findings }: Plan): Finding[] {
  return findings.filter((one) => one.severity === 'critical' && isProgramMissing(one));
}

/** For whoever starts just these. Throws PROGRAM_MISSING. */
export function expectPrograms(desired: readonly DesiredReplica[]): void {
  for (const { deployment, missing } of desired)
    if (missing !== undefined)
      throw new BerthError('PROGRAM_MISSING', { ...missing, needed: deployment.name });
}

function isProgramMissing({ evidence: [code] }: Finding): boolean {
  return code === 'PROGRAM_MISSING';
}

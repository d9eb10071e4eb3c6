import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { targetOf } from '../../targets/registry.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { DeploymentFault, DesiredReplica } from './desired.ts';

/** Pairs of engine and target that cannot be, each deployment once. Pure. */
function refusals(
  desired: readonly DesiredReplica[],
  { hosts }: LoadedFleet,
): BerthError<'TARGET_REFUSES'>[] {
  return desired.flatMap(({ deployment: { name, host, target }, replica, spec }) => {
    if (replica > 0) return [];
    const far = machineOf(hosts[host]) !== thisMachine;
    const reason = targetOf(target.kind).refuses(spec, target, far);
    if (reason === null) return [];
    return [new BerthError('TARGET_REFUSES', { deployment: name, target: target.kind, reason })];
  });
}

/** The same as findings: who only writes files for such a target still can. Pure. */
export function refusedTargets(desired: readonly DesiredReplica[], loaded: LoadedFleet): Finding[] {
  return refusals(desired, loaded).map(({ facts, message, cure, code }) => ({
    rule: 'target-refuses',
    severity: 'warning',
    object: facts.deployment,
    message,
    evidence: [code],
    cure,
  }));
}

/** The same as faults, for who wants to run them. Pure. */
export function refusedFaults(desired: readonly DesiredReplica[], loaded: LoadedFleet): DeploymentFault[] {
  return refusals(desired, loaded).map((fault) => ({ deployment: fault.facts.deployment, fault }));
}

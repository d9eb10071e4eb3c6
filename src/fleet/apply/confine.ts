import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Instance } from '../../domain/instance.ts';
import type { LeftOut } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { desiredReplicas } from '../plan/desired.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { PlanInput } from '../plan/make-plan.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Those of a deployment that is named; without names, all. */
export function confined(instances: readonly Instance[], only: readonly string[] | undefined): Instance[] {
  return instances.filter(({ mark }) => only?.includes(mark?.deployment ?? '') ?? true);
}

/** The fleet with those deployments alone that pass. */
export function withDeployments(loaded: LoadedFleet, passes: (name: string) => boolean): LoadedFleet {
  return { ...loaded, deployments: loaded.deployments.filter(({ name }) => passes(name)) };
}

/**
 * What a whole plan would do beside those that are named. A fault of one that is not named keeps nobody from changing the
 * others: it is told as a finding.
 */
export async function leftOutBy(
  world: World,
  only: readonly string[],
  {
    input,
    reached,
    onWait,
  }: {
    input: Omit<PlanInput, 'desired'>;
    reached: LoadedFleet;
    onWait?: ((line: string) => void) | undefined;
  },
): Promise<{ leftOut: LeftOut[]; findings: Finding[] }> {
  const others = withDeployments(reached, (name) => !only.includes(name));
  try {
    const { actions } = makePlan({
      ...input,
      desired: await desiredReplicas(world, others, onWait),
      instances: input.instances.filter(({ mark }) => !only.includes(mark?.deployment ?? '')),
    });
    const leftOut = actions.flatMap((action): LeftOut[] => {
      const { do: kind, deployment, replica, host, reasons } = action;
      return kind === 'keep' ? [] : [{ do: kind, deployment, replica, host, reasons }];
    });
    return { leftOut, findings: [] };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return { leftOut: [], findings: [unknownRest(error)] };
  }
}

function unknownRest(error: BerthError): Finding {
  return {
    rule: 'left-out-unknown',
    severity: 'warning',
    object: 'fleet',
    message: `What the file asks of the other deployments could not be worked out: ${error.message}`,
    evidence: [error.code],
    cure: error.cure,
  };
}

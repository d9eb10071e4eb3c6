import type { Finding } from '../../domain/finding.ts';
import { standingIn } from '../../domain/standing.ts';
import type { Standing } from '../../domain/standing.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { readJournal } from '../apply/journal.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { unseenFault } from './observe.ts';
import type { Sight } from './observe.ts';

/**
 * What was started where nobody answers now, and what the file does not want there any more: nothing of it is planned, and without
 * this nothing would tell that it goes on.
 */
export async function leftUnseen(world: World, loaded: LoadedFleet, sight: Sight): Promise<Finding[]> {
  const allSeen = sight.silent.size === 0 && [...sight.hosts.values()].every(({ mute }) => mute.size === 0);
  if (allSeen) return [];
  const { entries } = await readJournal(world, loaded);
  return leftFindings(standingIn(entries), loaded, sight);
}

/** Pure. */
function leftFindings(standing: readonly Standing[], { deployments }: LoadedFleet, sight: Sight): Finding[] {
  return standing.flatMap(({ host, deployment, target, object }): Finding[] => {
    const fault = unseenFault(sight, { host, target: { kind: target } });
    const stated = deployments.find(({ name }) => name === deployment);
    if (!fault || (stated?.host === host && stated.target.kind === target)) return [];
    const wish = stated
      ? `the file wants it as ${targetOf(stated.target.kind).title} on host ${stated.host}`
      : 'the file no longer names this deployment';
    return [
      {
        rule: 'not-removed',
        severity: 'warning',
        object: deployment,
        message: `${object} on host ${host} cannot be looked at, so it is not removed, though ${wish}: ${fault.message}`,
        evidence: [fault.code, object],
        cure: `${fault.cure} Then run "berth apply" again, which removes it if it is still there.`,
      },
    ];
  });
}

import type { Finding } from '../../domain/finding.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { UpState } from '../up/up-state.ts';

/** Models on demand that wait for another request, since their latest start came to nothing. Pure. */
export function haveFailed({ failed }: UpState, { deployments }: LoadedFleet): Finding[] {
  return deployments.flatMap(({ name, onDemand }): Finding[] => {
    const reason = failed[name];
    if (!onDemand || reason === undefined) return [];
    const [first = '', ...rest] = reason.split('\n');
    return [
      {
        rule: 'load-failed',
        severity: 'warning',
        object: name,
        message: `Its latest start came to nothing: ${first.replace(/ Its last lines:$/, '')}`,
        evidence: rest.map((line) => line.trim()),
        cure: `See "berth logs ${name}" and "berth logs up"; its next request starts it again.`,
      },
    ];
  });
}

import type { Finding } from '../../domain/finding.ts';
import type { Instance } from '../../domain/instance.ts';
import { claimantOf } from '../../domain/unbelieved-mark.ts';

/** Processes that say they are of this fleet and are not believed: what the file wants is started beside them. Pure. */
export function claimants(
  { instances }: { readonly instances: readonly Instance[] },
  fleet: { readonly fleet: string; readonly fleetId: string },
): Finding[] {
  const found = Map.groupBy(instances, ({ mark }) => claimantOf(mark, fleet));
  return [...found].flatMap(([uid, all]): Finding[] => {
    if (uid === null) return [];
    const names = all.map(({ host, object }) =>
      host === 'local' ? object.name : `${object.name} on ${host}`,
    );
    return [
      {
        rule: 'mark-not-believed',
        severity: 'warning',
        object: 'fleet',
        message: `Processes of user ${uid} carry this fleet's mark and are not believed, since root's berth has not recorded that it wrote it: what the file wants is started beside them.`,
        evidence: names,
        cure: 'End them if they are nobody\'s ("kill PID"). If that user applied this file, have them run "berth down"; if an earlier version of berth started them as root, end them and run "berth apply".',
      },
    ];
  });
}

import { isGoing, sameNamespace, titleOf } from '../../domain/audit/kube-object.ts';
import { amountOf } from '../../domain/kube-amount.ts';
import { claimSize, claimUsers, hasVolume } from '../../domain/audit/claims-in-use.ts';
import { formatBytes } from '../../domain/format.ts';
import { removeObject } from '../../domain/audit/kube-words.ts';
import type { Rule } from './contract.ts';

export const orphanClaim: Rule = {
  id: 'orphan-claim',
  severity: 'warning',
  finds: 'a PersistentVolumeClaim that no pod template, job or InferenceService names',
  why: 'Its storage is paid for, and often holds a model that nobody serves.',
  find: ({ objects, workloads }) => {
    const usersOf = claimUsers(objects, workloads);
    return (
      objects
        .filter((object) => object.kind === 'PersistentVolumeClaim')
        .filter((claim) => (claim.metadata.ownerReferences ?? []).length === 0 && !isGoing(claim))
        // A kind that is not shown may name it.
        .filter((claim) => (claim.cluster?.unseen ?? []).length === 0)
        .filter((claim) => !usersOf(claim.metadata.name).some((one) => sameNamespace(one, claim)))
        .map((claim) => {
          const bytes = amountOf(claimSize(claim));
          const { name } = claim.metadata;
          return {
            object: titleOf(claim),
            names: [name],
            message: `Nothing uses it${bytes === null ? '' : `; it takes ${formatBytes(bytes)}`}.`,
            evidence: [
              `storage ${claimSize(claim) ?? 'not told'}`,
              'no pod template, job or InferenceService names it',
            ],
            ...(bytes === null ? {} : { cost: { diskBytes: Math.round(bytes) } }),
            cure: 'Look into it, then remove it; its data is gone with it where its class says Delete.',
            commands: removeObject('pvc', claim, { withData: hasVolume(claim) }),
          };
        })
    );
  },
};

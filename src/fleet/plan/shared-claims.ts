import type { Finding } from '../../domain/finding.ts';
import { machineOf } from '../../domain/host-access.ts';
import { accessOf } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { DesiredReplica } from './desired.ts';

/** Deployments whose models lie in one claim that one node has at a time, where they may be put on several; `first`: one replica of each. Pure. */
export function sharedClaims({ hosts }: LoadedFleet, first: readonly DesiredReplica[]): Finding[] {
  const there = first.flatMap(({ deployment, spec: { fetched, node } }) => {
    if (fetched?.access !== 'ReadWriteOnce') return [];
    const place = machineOf(accessOf(hosts[deployment.host]));
    // One that is not pinned gets any.
    return [{ place, claim: fetched.claim, name: deployment.name, node: deployment.target['node'] ?? node }];
  });
  const same = Map.groupBy(there, ({ place, claim }) => JSON.stringify([place, claim]));
  return [...same.values()].flatMap((group): Finding[] => {
    const [one, ...others] = group;
    if (!one || others.length === 0) return [];
    if (one.node !== undefined && others.every(({ node }) => node === one.node)) return [];
    const names = group.map(({ name }) => name).join(' and ');
    return [
      {
        rule: 'volume-of-one-node',
        severity: 'warning',
        object: one.name,
        message: `${names} share the claim ${one.claim}, which is of one node at a time (ReadWriteOnce): a pod of theirs that gets another node never starts.`,
        evidence: ['models.NAME.at.HOST.fetch.access ReadWriteOnce', `${group.length} deployments`],
        cure: 'Write access: ReadWriteMany under models.NAME.at.HOST.fetch, with a storageClass that has it (a claim that is there stays as it was made: remove it first); or give each a claim of its own, or all of them one node (target.node).',
      },
    ];
  });
}

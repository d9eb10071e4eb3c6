import type { ScannedServer } from '../scan-report.ts';

/** Whether two ids are of one model: of repositories, revisions count where both are known, and the hub knows names in whatever letters. */
export function isSameModel(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return false;
  const [one, other] = [a, b].map((id) => id.toLowerCase().split('@'));
  return (
    one?.[0] === other?.[0] && (one?.[1] === undefined || other?.[1] === undefined || one[1] === other[1])
  );
}

/** Servers in groups of one model each; one of a repository whose revision is not known is in the group of the first that is. */
export function bySameModel(servers: readonly ScannedServer[]): ScannedServer[][] {
  const groups: ScannedServer[][] = [];
  // Those whose revision is known come first: what has none fits any of them, and must not join them.
  for (const server of servers.toSorted((a, b) => hasRevision(b) - hasRevision(a))) {
    const group = groups.find(([first]) => isSameModel(first?.modelId ?? null, server.modelId));
    if (group) group.push(server);
    else groups.push([server]);
  }
  return groups;
}

function hasRevision({ modelId }: ScannedServer): number {
  return Number(modelId?.includes('@') ?? false);
}

import { z } from 'zod';
import type { KubeObject, Workload } from './kube-object.ts';

const Storage = z.object({
  resources: z.object({ requests: z.object({ storage: z.string().nullish() }).nullish() }).nullish(),
});

export function claimSize(claim: KubeObject): string | null {
  return Storage.safeParse(claim.spec).data?.resources?.requests?.storage ?? null;
}

/** One that was never bound holds nothing that could be lost. */
export function hasVolume({ spec }: Pick<KubeObject, 'spec'>): boolean {
  return Boolean(spec?.['volumeName']);
}

/** Every object that names a claim, of whatever namespace. */
export function usersOfClaim(
  name: string,
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
): KubeObject[] {
  const mounting = workloads.filter(({ pod }) =>
    pod.volumes?.some((one) => one.persistentVolumeClaim?.claimName === name),
  );
  const naming = objects.filter(
    (object) => object.kind !== 'PersistentVolumeClaim' && (names(object, name) || isOfSet(name, object)),
  );
  return [...mounting.map(({ object }) => object), ...naming];
}

/** Wherever else an object speaks of one: KServe's "pvc://NAME/path", runtimes, templates of volumes. */
function names({ spec }: KubeObject, name: string): boolean {
  const text = JSON.stringify(spec ?? {});
  const named = [...text.matchAll(/pvc:\/\/([a-z0-9.-]+)|"claimName":"([^"]+)"/g)];
  return named.some(([, address, claim]) => (address ?? claim) === name);
}

const Templates = z.object({
  volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
});

/** The claims of a StatefulSet are "TEMPLATE-SET-0" and so on; those above its replicas are kept for a scale-up. */
function isOfSet(claim: string, { kind, spec, metadata: set }: KubeObject): boolean {
  if (kind !== 'StatefulSet') return false;
  const templates = Templates.safeParse(spec).data?.volumeClaimTemplates ?? [];
  return templates.some(({ metadata: { name } }) => {
    const before = `${name}-${set.name}-`;
    return claim.startsWith(before) && /^\d+$/.test(claim.slice(before.length));
  });
}

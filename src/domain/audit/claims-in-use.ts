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

/** Every name of a claim with the object that names it. */
export function claimUsers(
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
): { name: string; by: KubeObject }[] {
  const mounted = workloads.flatMap(({ object, pod }) =>
    (pod.volumes ?? []).flatMap((one) =>
      one.persistentVolumeClaim ? [{ name: one.persistentVolumeClaim.claimName, by: object }] : [],
    ),
  );
  // Wherever else an object speaks of one: KServe's "pvc://NAME/path", runtimes, templates of volumes.
  const named = objects
    .filter((object) => object.kind !== 'PersistentVolumeClaim')
    .flatMap((object) => {
      const text = JSON.stringify(object.spec ?? {});
      const addresses = [...text.matchAll(/pvc:\/\/([a-z0-9.-]+)/g)];
      const names = [...text.matchAll(/"claimName":"([^"]+)"/g)];
      return [...addresses, ...names].map((match) => ({ name: match[1] ?? '', by: object }));
    });
  const sets = objects
    .filter((object) => object.kind === 'StatefulSet')
    .flatMap((object) => templatesOf(object).map((name) => ({ name, by: object })));
  return [...mounted, ...named, ...sets];
}

const Templates = z.object({
  replicas: z.number().nullish(),
  volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
});

/** The claims of a StatefulSet are "TEMPLATE-SET-0" and so on; those above its replicas are kept for a scale-up. */
function templatesOf({ spec, metadata }: KubeObject): string[] {
  const found = Templates.safeParse(spec).data;
  const count = Math.max(found?.replicas ?? 1, 1);
  return (found?.volumeClaimTemplates ?? []).flatMap((one) =>
    Array.from({ length: count }, (_, i) => `${one.metadata.name}-${metadata.name}-${i}`),
  );
}

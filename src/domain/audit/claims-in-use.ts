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

/** Looks through all objects once, and then tells of a claim's name every object that names it, of whatever namespace. */
export function claimUsers(
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
): (claim: string) => readonly KubeObject[] {
  const mounting = workloads.flatMap(({ pod, object }) =>
    (pod.volumes ?? []).map((one) => ({ name: one.persistentVolumeClaim?.claimName, object })),
  );
  const others = objects.filter(({ kind }) => kind !== 'PersistentVolumeClaim');
  const naming = others.flatMap((object) => namesIn(object).map((name) => ({ name, object })));
  const templates = others.flatMap((object) => templatesOf(object).map((name) => ({ name, object })));
  const byName = Map.groupBy([...mounting, ...naming], ({ name }) => name);
  const byTemplate = Map.groupBy(templates, ({ name }) => name);
  return (claim) => {
    // The claims of a StatefulSet are "TEMPLATE-SET-0" and so on; those above its replicas are kept for a scale-up.
    const [, template] = /^(.*)-\d+$/.exec(claim) ?? [];
    const found = [...(byName.get(claim) ?? []), ...(byTemplate.get(template ?? '') ?? [])];
    return found.map(({ object }) => object);
  };
}

/** Wherever else an object speaks of one: "pvc://NAME/path", runtimes, templates of volumes. */
function namesIn(object: KubeObject): string[] {
  const text = JSON.stringify(object.spec ?? {});
  const named = text.matchAll(/pvc:\/\/([a-z0-9.-]+)|"(?:claimName|pvcName|existingClaim)":"([^"]+)"/g);
  return [
    ...new Set([
      ...[...named].map(([, address, claim]) => address ?? claim ?? ''),
      ...sourcesIn(text),
      ...ofOperators(text),
      ...cacheOf(object),
    ]),
  ];
}

/** Operators name claims in fields of their own: "pvc: {name}" of a NIMCache, "pvcs: [{name}]" of a graph of Dynamo. */
function ofOperators(text: string): string[] {
  const named = text.matchAll(/"pvcs?":\[?(\{[^{}]*\}(?:,\{[^{}]*\})*)/g);
  return [...named].flatMap(([, those = '']) =>
    [...those.matchAll(/"name":"([^"]+)"/g)].map(([, name = '']) => name),
  );
}

/** Claims that others begin as copies of. */
function sourcesIn(text: string): string[] {
  return [...text.matchAll(/"dataSource(?:Ref)?":(\{[^{}]*\})/g)].flatMap(([, source = '']) =>
    source.includes('"kind":"PersistentVolumeClaim"') ? (/"name":"([^"]+)"/.exec(source)?.[1] ?? []) : [],
  );
}

/** A Model of KubeAI names only a profile; its cache is one claim of that profile, or one of its own. */
function cacheOf({ kind, spec, metadata: { name, uid } }: KubeObject): string[] {
  const profile = kind === 'Model' ? spec?.['cacheProfile'] : undefined;
  if (typeof profile !== 'string' || profile === '') return [];
  return [`shared-model-cache-${profile}`, `model-cache-${name}-${(uid ?? '').slice(0, 7)}`];
}

const Templates = z.object({
  volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
});

function templatesOf({ kind, spec, metadata: set }: KubeObject): string[] {
  if (kind !== 'StatefulSet') return [];
  const templates = Templates.safeParse(spec).data?.volumeClaimTemplates ?? [];
  return templates.map(({ metadata: { name } }) => `${name}-${set.name}`);
}

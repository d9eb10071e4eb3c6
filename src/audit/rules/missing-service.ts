import { z } from 'zod';
import { sameNamespace, titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';

export const missingService: Rule = {
  id: 'missing-service',
  severity: 'critical',
  finds: 'an Ingress or Route to a Service that does not exist',
  why: 'Its address answers with 503.',
  find: ({ objects, services }) =>
    objects
      .filter((object) => ['Ingress', 'Route', 'HTTPRoute'].includes(object.kind))
      .flatMap((door) =>
        servicesOf(door)
          .filter((name) => !services.some((one) => one.metadata.name === name && sameNamespace(one, door)))
          .map((name) => ({
            object: titleOf(door),
            names: [door.metadata.name],
            message: `It leads to the Service ${name}, which does not exist.`,
            evidence: [`backend ${name}`],
            cure: 'Name the Service that is there, or remove it.',
          })),
      ),
};

/** Of an Ingress its backends, of a Route `to` and the others, of an HTTPRoute `backendRefs`; those of another namespace are not judged. */
function servicesOf({ spec }: KubeObject): string[] {
  return [...new Set(backendsIn(spec))];
}

const Service = z.object({ name: z.string() });
/** As networking.k8s.io/v1beta1 had it. */
const OldBackend = z.object({ serviceName: z.string() });
const Reference = z.object({
  kind: z.literal('Service').default('Service'),
  group: z.literal('').nullish(),
  namespace: z.null().optional(),
  name: z.string(),
});

function backendsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(backendsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): string[] => {
    if (/^(default)?backend$/i.test(key)) {
      const { service, resource } =
        z.object({ service: Service, resource: z.unknown() }).partial().safeParse(inner).data ?? {};
      const old = OldBackend.safeParse(inner).data?.serviceName;
      return service ? [service.name] : old !== undefined && resource === undefined ? [old] : [];
    }
    if (!/^(backendRefs?|to|alternateBackends)$/.test(key)) return backendsIn(inner);
    return [inner].flat().flatMap((one) => {
      const name = Reference.safeParse(one).data?.name;
      return name === undefined ? [] : [name];
    });
  });
}

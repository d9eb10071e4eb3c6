import { sameNamespace, titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';

export const missingService: Rule = {
  id: 'missing-service',
  severity: 'critical',
  finds: 'an Ingress or Route to a Service that does not exist',
  why: 'Its address answers with 503.',
  find: ({ objects }) =>
    objects
      .filter((object) => ['Ingress', 'Route', 'HTTPRoute'].includes(object.kind))
      .flatMap((door) =>
        servicesOf(door)
          .filter(
            (name) =>
              !objects.some(
                (one) => one.kind === 'Service' && one.metadata.name === name && sameNamespace(one, door),
              ),
          )
          .map((name) => ({
            object: titleOf(door),
            names: [door.metadata.name],
            message: `It leads to the Service ${name}, which does not exist.`,
            evidence: [`backend ${name}`],
            cure: 'Name the Service that is there, or remove it.',
          })),
      ),
};

/** Of an Ingress `backend.service.name`, of a Route `to`, of an HTTPRoute `backendRefs` of its own namespace. */
function servicesOf(door: KubeObject): string[] {
  const text = JSON.stringify(door.spec ?? {});
  const patterns = {
    Ingress: /"service":\{[^{}]*"name":"([^"]+)"/g,
    Route: /"kind":"Service","name":"([^"]+)"/g,
    HTTPRoute: /"kind":"Service",(?:"[^"]+":[^,{}]+,)*?"name":"([^"]+)"/g,
  };
  const pattern = patterns[door.kind as keyof typeof patterns];
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))];
}

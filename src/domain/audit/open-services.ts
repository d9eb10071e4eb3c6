import { z } from 'zod';
import type { KubeObject } from './kube-object.ts';
import { sameNamespace } from './kube-object.ts';
import { leadsTo } from './leads-to.ts';
import { serverPort } from './server-port.ts';
import type { ServerOfPod } from './server-port.ts';

const Opening = z.object({
  type: z.enum(['NodePort', 'LoadBalancer']),
  selector: z.record(z.string(), z.string()),
  ports: z.array(z.object({ port: z.number(), targetPort: z.union([z.number(), z.string()]).nullish() })),
});

/** Services by which who is outside the cluster reaches this very server, not what stands beside it. Pure. */
export function openServices(one: ServerOfPod, objects: readonly KubeObject[]): KubeObject[] {
  const { workload, container } = one;
  return objects.filter((object) => {
    const spec = object.kind === 'Service' ? Opening.safeParse(object.spec).data : undefined;
    if (!spec || !sameNamespace(object, workload.object) || !leadsTo(spec.selector, workload)) return false;
    return spec.ports.some(({ port, targetPort }) => {
      const target = String(targetPort ?? port);
      const named = (container.ports ?? []).some(({ name }) => name === target);
      return named || target === String(serverPort(one));
    });
  });
}

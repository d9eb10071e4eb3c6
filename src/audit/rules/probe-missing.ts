import { titleOf } from '../../domain/audit/kube-object.ts';
import { isFollower } from '../../domain/command-line/follower.ts';
import type { PodServer, Rule } from './contract.ts';

export const probeMissing: Rule = {
  id: 'probe-missing',
  severity: 'warning',
  finds: 'a model server in Kubernetes without a readiness probe',
  why: 'It gets requests while it still loads its model, and answers them with 503; with a startup probe alone, whenever it hangs later.',
  find: ({ pods }) =>
    pods
      .filter((pod) => !pod.container.readinessProbe && isAsked(pod))
      .map(({ workload: { object }, container, server }) => ({
        object: titleOf(object),
        names: [object.metadata.name],
        message: `Its container ${container.name} has no readiness probe.`,
        evidence: [`container ${container.name}: readinessProbe is not set`],
        cure: `Ask /health on its port: readinessProbe {httpGet: {path: /health, port: ${server.port ?? 8080}}}.`,
      })),
};

/** Work that ends has no Service in front, nor has what computes for a leader; a controller may add a probe of its own. */
function isAsked({ workload, server }: PodServer): boolean {
  if (workload.partial || workload.object.kind.endsWith('Job')) return false;
  return !isFollower(server.command);
}

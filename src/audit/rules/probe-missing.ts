import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';

export const probeMissing: Rule = {
  id: 'probe-missing',
  severity: 'warning',
  finds: 'a model server in Kubernetes without a readiness probe',
  why: 'It gets requests while it still loads its model, and answers them with 503.',
  find: ({ pods }) =>
    pods
      .filter(({ container }) => !container.readinessProbe)
      .map(({ workload: { object }, container, server }) => ({
        object: titleOf(object),
        names: [object.metadata.name],
        message: `Its container ${container.name} has no readiness probe.`,
        evidence: [`container ${container.name}: readinessProbe is not set`],
        cure: `Ask /health on its port: readinessProbe {httpGet: {path: /health, port: ${server.port ?? 8080}}}.`,
      })),
};

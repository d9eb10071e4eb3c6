import { holdingOf } from '../../domain/audit/server-words.ts';
import { logHint, stopCommand, subjectOf } from '../../domain/audit/server-words.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { ownContainers, serverOf } from '../../domain/audit/container-server.ts';
import { portHolder } from '../../domain/audit/port-holder.ts';
import { wrongCheck } from '../../domain/audit/health-check.ts';
import type { ObservedContainer, ObservedHost } from '../../domain/audit/observation.ts';
import { sameNamespace } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { isPodOf } from '../../domain/audit/model-pods.ts';
import type { AuditView, Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';
import { podNotReady } from './pod-not-ready.ts';
import { faultOf } from './probe-fault.ts';

/** As long as a large model may take to load. */
const loadingMs = 10 * 60_000;

/** Engines that listen only once their model is loaded; others listen at once, and say that they load. */
const listenLate = ['vllm', 'sglang', 'tgi'];

export const notAnswering: Rule = {
  id: 'not-answering',
  severity: 'warning',
  finds:
    'a server that runs and does not answer, whose container is unhealthy, or whose pod has not been ready for an hour',
  why: 'It holds memory and serves nobody.',
  find: ({ at, hosts, fleet, modelPods, pods, objects }) => [
    ...perHost(hosts, (host) => [
      ...host.servers
        // What keeps it from listening is told by itself.
        .filter(
          (server) =>
            server.state === 'silent' && !stillLoads(server, at) && portHolder(server, host) === null,
        )
        .map((server) => ({
          ...subjectOf(server, host),
          ...(server.mark !== null && server.mark.fleet === fleet?.name
            ? { fix: { deployments: [server.mark.deployment], restart: true } }
            : {}),
          message: 'It runs and does not answer.',
          evidence: [...server.evidence],
          cost: holdingOf(server),
          cure: `See its log${logHint(server)}; if it stays so, end it: ${stopCommand(server)}`,
        })),
      ...ownContainers(host)
        .filter((one) => isUnhealthy(one, host))
        .map(ofContainer),
    ]),
    ...modelPods
      .filter((pod) => !isToldElsewhere(pod, { pods, objects }))
      .flatMap((pod) => podNotReady(pod, at) ?? []),
  ],
};

/** By a probe of its template that cannot succeed, or by KServe of its service. */
function isToldElsewhere(pod: KubeObject, { pods, objects }: Pick<AuditView, 'pods' | 'objects'>): boolean {
  const service = pod.metadata.labels?.['serving.kserve.io/inferenceservice'];
  const served = objects.some(
    (one) => one.kind === 'InferenceService' && one.metadata.name === service && sameNamespace(one, pod),
  );
  const misled = pods.some(
    (one) =>
      isPodOf(pod, one.workload) &&
      (['readinessProbe', 'startupProbe'] as const).some(
        (name) => faultOf(one, one.container[name]) !== null,
      ),
  );
  return served || misled;
}

/** By its own health check, where its process cannot be asked. */
function isUnhealthy(container: ObservedContainer, host: ObservedHost): boolean {
  const { state, health } = container;
  return (
    state === 'running' &&
    health === 'unhealthy' &&
    wrongCheck(container) === null &&
    (serverOf(container, host)?.state ?? 'unknown') === 'unknown'
  );
}

function ofContainer({ name, tool }: ObservedContainer): Found {
  return {
    object: `container ${name}`,
    names: [name],
    message: 'It runs, and its health check fails.',
    evidence: ['health: unhealthy'],
    cure: 'See what its check and its log say.',
    commands: [
      `${tool} inspect --format '{{json .State.Health}}' ${name}`,
      `${tool} logs --tail 100 ${name}`,
    ],
  };
}

function stillLoads({ engine, endpoints, startedAt }: ScannedServer, at: string): boolean {
  const young = Date.parse(at) - Date.parse(startedAt) < loadingMs;
  return young && endpoints.length === 0 && listenLate.includes(engine);
}

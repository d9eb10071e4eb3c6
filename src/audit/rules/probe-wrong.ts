import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Container, Probe } from '../../domain/audit/kube-object.ts';
import type { PodServer, Rule } from './contract.ts';

export const probeWrong: Rule = {
  id: 'probe-wrong',
  severity: 'critical',
  finds: 'a probe that asks a port or a path that the server does not have',
  why: 'The pod never becomes ready, or is killed again and again while all is well.',
  find: ({ pods }) =>
    pods.flatMap((pod) =>
      (['startupProbe', 'readinessProbe', 'livenessProbe'] as const).flatMap((name) => {
        const reason = faultOf(pod, pod.container[name]);
        const { object } = pod.workload;
        if (reason === null) return [];
        return [
          {
            object: titleOf(object),
            names: [object.metadata.name],
            message: `Its ${name} cannot succeed: ${reason}.`,
            evidence: [
              `container ${pod.container.name}: ${name} ${JSON.stringify(pod.container[name]?.httpGet)}`,
            ],
            cure: `Ask /health on port ${pod.server.port ?? 8080}.`,
          },
        ];
      }),
    ),
};

const paths = ['/health', '/v1/models', '/models', '/props', '/metrics', '/version', '/ping', '/slots', '/'];

function faultOf({ container, server }: PodServer, probe: Probe): string | null {
  const asked = probe?.httpGet;
  if (!asked) return null;
  const port = portOf(container, asked.port);
  const usual = server.engine === 'vllm' ? 8000 : 8080;
  const own = server.port ?? usual;
  if (port !== null && port !== own) return `it asks port ${port}, and the server listens on ${own}`;
  const path = (asked.path ?? '/').split('?')[0] ?? '/';
  const known = ['llama.cpp', 'vllm'].includes(server.engine);
  return known && !paths.includes(path) ? `${server.engine} has no ${path}` : null;
}

/** A port may be named; null for a name that the container does not have. */
function portOf({ ports }: Container, port: string | number | null | undefined): number | null {
  if (port === null || port === undefined) return null;
  if (/^\d+$/.test(String(port))) return Number(port);
  return ports?.find((one) => one.name === port)?.containerPort ?? null;
}

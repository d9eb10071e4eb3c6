import { doorOf } from '../../domain/command-line/server-door.ts';
import { flagValue } from '../../domain/command-line/flags.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Container, Probe } from '../../domain/audit/kube-object.ts';
import { saysElsewhere, serverPort } from '../../domain/audit/server-port.ts';
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
              `container ${pod.container.name}: ${name} ${JSON.stringify(pod.container[name]?.httpGet ?? pod.container[name]?.tcpSocket)}`,
            ],
            cure: `Ask ${prefixOf(pod)}/health on port ${serverPort(pod) ?? 'that it listens on'}.`,
          },
        ];
      }),
    ),
};

/** Of the engines whose paths are known. */
const paths: Readonly<Record<string, readonly string[]>> = {
  'llama.cpp': ['/health', '/v1/health', '/v1/models', '/models', '/props', '/metrics', '/slots', '/'],
  vllm: ['/health', '/ping', '/v1/models', '/metrics', '/version', '/load', '/docs', '/openapi.json'],
};

/** Before all its paths: `--api-prefix` of llama-server, `--root-path` of vLLM. */
function prefixOf({ server, container }: PodServer): string {
  const given = container.env?.find(({ name }) => name === 'LLAMA_ARG_API_PREFIX')?.value;
  return (flagValue(server.command, '--api-prefix', '--root-path') ?? given ?? '').replace(/\/$/, '');
}

function faultOf(pod: PodServer, probe: Probe): string | null {
  const { container, server } = pod;
  const asked = probe?.httpGet ?? probe?.tcpSocket;
  // With a host of its own it asks somebody else.
  if (!asked || asked.host) return null;
  const port = portOf(container, asked.port);
  const own = serverPort(pod);
  if (port === null && isName(asked.port)) return `no port of its container is called ${asked.port}`;
  if (port !== null && own !== null && port !== own)
    return listensBeside(pod, port) ? null : `it asks port ${port}, and the server listens on ${own}`;
  if (!probe?.httpGet) return null;
  const { path: given, scheme } = probe.httpGet;
  if (port !== null && port === own && secured(pod) !== null && secured(pod) !== (scheme === 'HTTPS'))
    return `it asks by ${scheme === 'HTTPS' ? 'https' : 'http'}, and the server ${secured(pod) ? 'has' : 'has no'} certificate`;
  // The kubelet puts a slash before a path that has none.
  const path = `/${(given ?? '/').split('?')[0] ?? ''}`.replace(/^\/+/, '/');
  const known = paths[server.engine];
  const prefix = prefixOf(pod);
  const served = path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) || '/' : path;
  return known && !known.includes(served) && !known.includes(path) ? `${server.engine} has no ${path}` : null;
}

/** Whether the server has a certificate; null where that does not show. */
function secured(pod: PodServer): boolean | null {
  const { server, container } = pod;
  if (!(server.engine in paths) || saysElsewhere(pod)) return null;
  const env = Object.fromEntries(
    (container.env ?? []).map(({ name, value }) => [name, value ?? 'elsewhere']),
  );
  return doorOf(server.command, env).tls;
}

/** The containers of a pod share its network: a proxy beside the server may hold the port that is asked. */
function listensBeside({ workload: { pod }, container }: PodServer, port: number): boolean {
  return [...pod.containers, ...(pod.initContainers ?? [])].some(
    (one) => one.name !== container.name && one.ports?.some(({ containerPort }) => containerPort === port),
  );
}

function isName(port: string | number | null | undefined): boolean {
  return port !== null && port !== undefined && !/^\d+$/.test(String(port));
}

/** A port may be named; null for a name that the container does not have. */
function portOf({ ports }: Container, port: string | number | null | undefined): number | null {
  if (port === null || port === undefined) return null;
  if (/^\d+$/.test(String(port))) return Number(port);
  return ports?.find((one) => one.name === port)?.containerPort ?? null;
}

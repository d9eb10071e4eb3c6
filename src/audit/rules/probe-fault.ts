import { flagValue } from '../../domain/command-line/flags.ts';
import type { Container, Probe } from '../../domain/audit/kube-object.ts';
import { saysElsewhere, serverPort } from '../../domain/audit/server-port.ts';
import type { PodServer } from './contract.ts';

/** Of the engines whose paths are known. */
const paths: Readonly<Record<string, readonly string[]>> = {
  'llama.cpp': ['/health', '/v1/health', '/v1/models', '/models', '/props', '/metrics', '/slots', '/'],
  vllm: ['/health', '/ping', '/v1/models', '/metrics', '/version', '/load', '/docs', '/openapi.json'],
  ollama: ['/', '/api/version', '/api/tags', '/api/ps', '/v1/models'],
};

/** Before all its paths: `--api-prefix` of llama-server, `--root-path` of vLLM. */
export function prefixOf({ server, container }: PodServer): string {
  const given = container.env?.find(({ name }) => name === 'LLAMA_ARG_API_PREFIX')?.value;
  return (flagValue(server.command, '--api-prefix', '--root-path') ?? given ?? '').replace(/\/$/, '');
}

/** Why a probe of it can never succeed; null where it may. */
export function faultOf(pod: PodServer, probe: Probe): string | null {
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
  const asIs = `/${(given ?? '/').split('?')[0] ?? ''}`.replace(/^\/+/, '/');
  // vLLM sends who asks with a slash at the end to the path without it, and the kubelet follows.
  const path = server.engine === 'vllm' ? asIs.replace(/(.)\/$/, '$1') : asIs;
  const known = paths[server.engine];
  const prefix = prefixOf(pod);
  if (needsKey(pod) && path.startsWith('/v1/') && !sendsKey(probe))
    return `${path} of vLLM wants its key, and it sends none`;
  const served = path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) || '/' : path;
  return known && !known.includes(served) && !known.includes(path) ? `${server.engine} has no ${path}` : null;
}

/** vLLM asks all below /v1 for its key; llama-server tells its models to everybody. */
function needsKey({ server, container }: PodServer): boolean {
  const fromElsewhere = container.env?.some(({ name, valueFrom }) => name === 'VLLM_API_KEY' && valueFrom);
  return server.engine === 'vllm' && (server.keyed === true || Boolean(fromElsewhere));
}

function sendsKey(probe: Probe): boolean {
  return (probe?.httpGet?.httpHeaders ?? []).some(({ name }) => name.toLowerCase() === 'authorization');
}

/** Whether the server has a certificate; null where that does not show. */
function secured(pod: PodServer): boolean | null {
  const { server, container } = pod;
  if (!(server.engine in paths) || saysElsewhere(pod)) return null;
  const fromElsewhere = container.env?.some(
    ({ name, valueFrom }) => name === 'LLAMA_ARG_SSL_CERT_FILE' && valueFrom,
  );
  return server.tls === true || Boolean(fromElsewhere);
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

import type { Mark } from '../../domain/instance.ts';
import { publishedPorts, ulimitsOf } from '../../container/container-body.ts';
import type { ContainerBody, Mount } from '../../container/render.ts';
import { escapeText, quoteWord } from './unit-text.ts';
import type { Section } from './unit-text.ts';

/** "[Container]" of a Quadlet file, from the body that the API of a daemon would be given. Mounts are in the caller's words. Pure. */
export function containerSection(
  body: ContainerBody,
  { name, mark, mounts, args = [] }: QuadletParts,
): Section {
  const host = body.HostConfig;
  const devices = (host['Devices'] ?? []) as { PathOnHost: string }[];
  const published = publishedPorts(body).map((port) => ['PublishPort', port] as const);
  return [
    ['Image', qualified(body.Image)],
    ['ContainerName', name],
    ['Entrypoint', escapeWord(body.Entrypoint[0] ?? '')],
    ['Exec', body.Cmd.map(quoteWord).join(' ')],
    ...body.Env.map((one) => ['Environment', quoteWord(one)] as const),
    ...Object.entries(body.Labels).map(
      ([label, value]) => ['Label', quoteWord(`${label}=${value}`)] as const,
    ),
    ...(published.length > 0 ? published : ([['Network', 'host']] as const)),
    ...mounts,
    ...devices.map(({ PathOnHost }) => ['AddDevice', PathOnHost] as const),
    ...((host['GroupAdd'] ?? []) as string[]).map((group) => ['GroupAdd', group] as const),
    ...one('ShmSize', host['ShmSize']),
    ...one('User', body['User']),
    ...one('WorkingDir', body['WorkingDir']),
    ['NoNewPrivileges', 'true'],
    ...((host['SecurityOpt'] ?? []) as string[]).flatMap((one) =>
      one === 'label=disable' ? [['SecurityLabelDisable', 'true'] as const] : [],
    ),
    ['HealthCmd', 'none'],
    ['StopTimeout', String(graceOf(mark))],
    ['PodmanArgs', [...podmanArgs(body), ...args].join(' ')],
  ];
}

interface QuadletParts {
  readonly name: string;
  readonly mark: Mark;
  readonly mounts: Section;
  /** More words for "podman run". */
  readonly args?: readonly string[];
}

/** How its unit starts and ends. An image may have to be fetched first. */
export function containerService(mark: Mark, restart: string): Section {
  return [
    ['Restart', restart],
    ['RestartSec', '2'],
    ['TimeoutStartSec', String(Math.ceil(mark.spec.readiness.startTimeoutMs / 1000) + 600)],
    ['TimeoutStopSec', String(graceOf(mark) + 10)],
  ];
}

export function volumeOf({ Source, Target, ReadOnly }: Mount): readonly [string, string] {
  return ['Volume', `${escapeWord(Source)}:${escapeWord(Target)}${ReadOnly ? ':ro' : ''}`];
}

/** The generator puts it into a command line, where systemd fills in variables. */
function escapeWord(text: string): string {
  return escapeText(text).replaceAll('$', () => '$$');
}

/** Podman takes no short names where nobody can be asked which registry is meant. */
export function qualified(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]|^localhost$/.test(first) ? image : `docker.io/${image}`;
}

function one(key: string, value: unknown): Section {
  return typeof value === 'string' || typeof value === 'number' ? [[key, String(value)]] : [];
}

/** What has no key of its own. */
function podmanArgs(body: ContainerBody): string[] {
  const { HostConfig: host, StopSignal } = body;
  const { Memory, MemoryReservation, NanoCpus, CpuShares, IpcMode } = host;
  return [
    `--stop-signal=${StopSignal}`,
    ...(Memory === undefined ? [] : [`--memory=${Number(Memory)}b`, `--memory-swap=${Number(Memory)}b`]),
    ...(MemoryReservation === undefined ? [] : [`--memory-reservation=${Number(MemoryReservation)}b`]),
    ...(NanoCpus === undefined ? [] : [`--cpus=${Number(NanoCpus) / 1e9}`]),
    ...(CpuShares === undefined ? [] : [`--cpu-shares=${Number(CpuShares)}`]),
    ...ulimitsOf(body).map(({ Name, Soft, Hard }) => `--ulimit=${Name}=${Soft}:${Hard}`),
    ...(typeof IpcMode === 'string' ? [`--ipc=${IpcMode}`] : []),
  ];
}

function graceOf(mark: Mark): number {
  return Math.max(1, Math.ceil(mark.spec.stop.graceMs / 1000));
}

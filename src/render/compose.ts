import type { Mark } from '../domain/instance.ts';
import { isGiven, isOfCluster } from '../domain/secret.ts';
import type { ContainerBody, Mount } from '../container/render.ts';
import { secretFolder, ulimitsOf } from '../container/container-body.ts';
import { containerRefusal, containersOf } from './containers.ts';
import type { RenderedContainer } from './containers.ts';
import type { RenderFormat, RenderInput, RenderOutput } from './contract.ts';
import { filesGiven, isOnDemand, pipeSecret } from './replica-marks.ts';
import { yamlOf } from './yaml.ts';

/** One compose file with the containers that the target docker would make. */
export const composeFormat = {
  kind: 'compose',
  title: 'a compose file for Docker or podman',
  place: 'machine',
  refuses: containerRefusal,
  render,
} as const satisfies RenderFormat<'compose'>;

function render(input: RenderInput): RenderOutput {
  const groups = Object.values(gpuGroups).map((name) => `${variableSign}${name}`);
  const facts = { podman: false, stateDir: '.', gpuGroups: groups };
  const replicas = containersOf(input, facts).map((one) => ({ ...one, name: nameOf(one.mark) }));
  const volumes = replicas.flatMap(({ mounts }) => mounts.filter(({ Type }) => Type === 'volume'));
  const secrets = replicas.flatMap(({ mark, name: owner }) =>
    Object.keys(mark.spec.secrets).map((key) => {
      const name = `${owner}-${key}`;
      return {
        owner,
        name,
        piped: pipeSecret(mark, key),
        lies: secretOf(mark, key, { name, ssh: input.ssh }),
      };
    }),
  );
  const file = {
    name: input.fleet,
    services: Object.fromEntries(
      replicas.map((one) => [one.name, serviceOf(one, isOnDemand(input, one.mark))]),
    ),
    ...(volumes.length > 0
      ? { volumes: Object.fromEntries(volumes.map(({ Source }) => [Source, { name: Source }])) }
      : {}),
    ...(secrets.length > 0
      ? { secrets: Object.fromEntries(secrets.map(({ name, lies }) => [name, lies])) }
      : {}),
  };
  return {
    files: [
      ...(replicas.length === 0 ? [] : [{ path: 'compose.yaml', text: yamlOf(withoutVariables(file)) }]),
      ...replicas.flatMap(({ mark, name }) =>
        filesGiven(input, mark, `files/${name}`).map((one) => ({ ...one, beside: true as const })),
      ),
    ],
    needs: [
      ...(replicas.some(({ body }) => body.HostConfig['GroupAdd'] !== undefined) ? [groupNeed] : []),
      ...secrets.flatMap(({ lies: { environment } }) =>
        environment === undefined ? [] : [`Compose needs the variable ${environment}.`],
      ),
      ...secrets
        .filter(({ lies: { file } }) => file?.startsWith(secretsHere))
        .map(({ owner, name, piped }) => `${owner} needs a file: ${piped} >secrets/${name}   (mode 600)`),
      ...replicas
        .filter(({ mark }) => isOnDemand(input, mark))
        .map(({ name }) => `${name} is on demand: "docker compose up" starts it only where it is named.`),
    ].filter((need, at, all) => all.indexOf(need) === at),
  };
}

function nameOf({ deployment, replica }: Mark): string {
  return replica === 0 ? deployment : `${deployment}-${replica}`;
}

const secretsHere = './secrets/';

/** Where it lies, never what it is. One that an engine wants as YAML has to be written into a file first, and so has a file for another machine. */
function secretOf(
  mark: Mark,
  key: string,
  { name, ssh }: { name: string; ssh: string | null },
): { environment?: string; file?: string } {
  const ref = mark.spec.secrets[key];
  if (mark.spec.secretKeys?.[key] !== undefined || !ref || isOfCluster(ref))
    return { file: `${secretsHere}${name}` };
  if (isGiven(ref)) return { file: `./files/${nameOf(mark)}/${key}` };
  if ('env' in ref) return { environment: ref.env };
  return { file: ssh === null ? ref.file : `${secretsHere}${name}` };
}

function serviceOf(
  { mark, container, body, mounts, ports }: RenderedContainer,
  onDemand: boolean,
): Record<string, unknown> {
  const host = body.HostConfig;
  const secrets = mounts.filter(({ Target }) => Target.startsWith(secretFolder));
  const files = mounts.filter((mount) => !secrets.includes(mount));
  const { ShmSize, IpcMode, GroupAdd, RestartPolicy, SecurityOpt, LogConfig } = host as {
    [name: string]: unknown;
    RestartPolicy: { Name: string };
    LogConfig?: { Type: string; Config: Record<string, string> };
  };
  return {
    image: body.Image,
    container_name: container,
    ...(onDemand ? { profiles: ['on-demand'] } : {}),
    entrypoint: body.Entrypoint,
    command: body.Cmd,
    ...(body.Env.length > 0 ? { environment: body.Env } : {}),
    labels: body.Labels,
    ...(ports.length > 0 ? { ports } : { network_mode: 'host' }),
    ...(files.length > 0 ? { volumes: files.map(volumeOf) } : {}),
    ...(secrets.length > 0
      ? {
          secrets: secrets.map(({ Target }) => {
            const key = Target.slice(secretFolder.length);
            return { source: `${nameOf(mark)}-${key}`, target: key, mode: 0o400 };
          }),
        }
      : {}),
    ...amountsOf(host),
    ...ulimitEntries(body),
    ...(ShmSize === undefined ? {} : { shm_size: ShmSize }),
    ...(IpcMode === undefined ? {} : { ipc: IpcMode }),
    ...gpusOf(host),
    ...(GroupAdd === undefined ? {} : { group_add: GroupAdd }),
    ...(body['User'] === undefined ? {} : { user: body['User'] }),
    ...(body['WorkingDir'] === undefined ? {} : { working_dir: body['WorkingDir'] }),
    healthcheck: healthOf(body.Healthcheck),
    restart: RestartPolicy.Name,
    stop_signal: body.StopSignal,
    stop_grace_period: `${Math.max(1, Math.ceil(mark.spec.stop.graceMs / 1000))}s`,
    security_opt: SecurityOpt,
    ...(LogConfig ? { logging: { driver: LogConfig.Type, options: LogConfig.Config } } : {}),
  };
}

function amountsOf(host: ContainerBody['HostConfig']): Record<string, unknown> {
  const { Memory, MemoryReservation, NanoCpus, CpuShares } = host;
  return {
    ...(MemoryReservation === undefined ? {} : { mem_reservation: MemoryReservation }),
    ...(Memory === undefined ? {} : { mem_limit: Memory, memswap_limit: Memory }),
    ...(CpuShares === undefined ? {} : { cpu_shares: CpuShares }),
    ...(NanoCpus === undefined ? {} : { cpus: Number(NanoCpus) / 1e9 }),
  };
}

function ulimitEntries(body: ContainerBody): Record<string, unknown> {
  const each = ulimitsOf(body).map(({ Name, Soft, Hard }) => [Name, { soft: Soft, hard: Hard }] as const);
  return each.length === 0 ? {} : { ulimits: Object.fromEntries(each) };
}

/** A relative source begins with a dot, or it would be the name of a volume. */
function volumeOf({ Type, Source, Target, ReadOnly }: Mount): Record<string, unknown> {
  const source = Type === 'bind' && !Source.startsWith('/') ? `./${Source}` : Source;
  return { type: Type, source, target: Target, ...(ReadOnly ? { read_only: true } : {}) };
}

function gpusOf(host: ContainerBody['HostConfig']): Record<string, unknown> {
  const requests = host['DeviceRequests'] as
    | { Driver: string; Count?: number; DeviceIDs?: string[] }[]
    | undefined;
  const devices = host['Devices'] as { PathOnHost: string; PathInContainer: string }[] | undefined;
  return {
    ...(devices ? { devices: devices.map((one) => `${one.PathOnHost}:${one.PathInContainer}`) } : {}),
    ...(requests
      ? {
          deploy: {
            resources: {
              reservations: {
                devices: requests.map(({ Driver, Count, DeviceIDs }) => ({
                  driver: Driver,
                  ...(DeviceIDs ? { device_ids: DeviceIDs } : { count: Count === -1 ? 'all' : Count }),
                  capabilities: ['gpu'],
                })),
              },
            },
          },
        }
      : {}),
  };
}

function healthOf(check: ContainerBody['Healthcheck']): Record<string, unknown> {
  const { Test, Interval, Timeout, Retries, StartPeriod } = check as {
    Test: string[];
    [name: string]: unknown;
  };
  if (Test[0] === 'NONE') return { disable: true };
  return {
    test: Test,
    interval: seconds(Interval),
    timeout: seconds(Timeout),
    retries: Retries,
    start_period: seconds(StartPeriod),
  };
}

function seconds(nanoseconds: unknown): string {
  return `${Math.round(Number(nanoseconds) / 1e9)}s`;
}

/** Stands before the name of a variable that Compose is to fill in; no text of a user has it. */
const variableSign = '\uE000';

/** Groups that own the devices of GPUs. Their names mean nothing in a container, and only the machine has their numbers. */
const gpuGroups = { video: 'VIDEO_GID', render: 'RENDER_GID' } as const;

const groupNeed = `Compose needs the numbers of the groups of GPUs, as the machine has them: export ${Object.entries(
  gpuGroups,
)
  .map(([group, name]) => `${name}=$(getent group ${group} | cut -d: -f3)`)
  .join(' ')}`;

/** Compose fills in variables everywhere: a dollar is written twice. */
function withoutVariables(value: unknown): unknown {
  if (typeof value === 'string')
    return value.startsWith(variableSign) ? `\${${value.slice(1)}:?}` : value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(withoutVariables);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutVariables(inner)]));
}

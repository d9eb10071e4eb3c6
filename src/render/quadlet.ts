import type { Mark } from '../domain/instance.ts';
import type { ContainerBody, Mount } from '../targets/docker/render.ts';
import { escapeText, quoteWord, writeUnit } from '../targets/systemd/unit-text.ts';
import type { Section } from '../targets/systemd/unit-text.ts';
import { containerRefusal, containersOf, secretFolder, ulimitsOf } from './containers.ts';
import type { RenderedContainer } from './containers.ts';
import type { RenderFormat, RenderInput, RenderOutput } from './contract.ts';
import { isOnDemand, onDemandNote, pipeSecret, runThere } from './replica-marks.ts';

const folder = 'etc/containers/systemd';

/** One .container file for each replica, from which podman (5 or newer) makes a unit of systemd. */
export const quadletFormat = {
  kind: 'quadlet',
  title: 'Quadlet files of podman, to be copied to /etc',
  place: 'machine',
  refuses: containerRefusal,
  render,
} as const satisfies RenderFormat<'quadlet'>;

function render(input: RenderInput): RenderOutput {
  const facts = { podman: true, stateDir: '/var/lib/berth', gpuGroups: ['keep-groups'] };
  const replicas = containersOf(input, facts).map((one) => {
    const { fleet, deployment, replica } = one.mark;
    const number = replica === 0 ? '' : `-${replica}`;
    return { ...one, unit: `berth-${fleet}-${deployment}${number}` };
  });
  const secrets = replicas.flatMap(({ mark, unit }) =>
    Object.keys(mark.spec.secrets).map(
      (key) =>
        `${unit} needs a secret: ${pipeSecret(mark, key)} | ${runThere(input.ssh, `sudo podman secret create ${unit}-${key} -`)}`,
    ),
  );
  const folders = replicas.flatMap(({ mark, mounts }) =>
    mounts
      .filter(({ Type, ReadOnly }) => Type === 'bind' && !ReadOnly)
      .map(({ Source }) => `${mark.deployment} needs a folder: sudo mkdir -p ${Source}`),
  );
  const later = replicas.filter(({ mark }) => isOnDemand(input, mark));
  const started = replicas.flatMap((one) => (later.includes(one) ? [] : one.unit)).join(' ');
  return {
    files: replicas.map(({ unit, ...one }) => ({
      path: `${folder}/${unit}.container`,
      text: writeUnit(
        [
          [
            'Unit',
            [
              ['Description', escapeText(descriptionOf(one.mark))],
              ['After', 'network-online.target'],
              ['Wants', 'network-online.target'],
            ],
          ],
          ['Container', containerOf(one, unit)],
          ['Service', serviceOf(one.mark, one.body)],
          ...(isOnDemand(input, one.mark) ? [] : [installed]),
        ],
        'Written by berth.',
      ),
    })),
    needs:
      replicas.length === 0
        ? []
        : [
            ...secrets,
            ...folders,
            `Then: ${['sudo cp -r etc /', 'sudo systemctl daemon-reload', ...(started === '' ? [] : [`sudo systemctl start ${started}`])].join(' && ')}`,
            ...later.map(({ unit }) => onDemandNote(unit)),
          ],
  };
}

const installed = ['Install', [['WantedBy', 'multi-user.target default.target']]] as const;

function descriptionOf({ deployment, fleet, spec }: Mark): string {
  return `${deployment} of fleet ${fleet} (${spec.engine}, by berth)`;
}

function containerOf({ mark, container, body, mounts, ports }: RenderedContainer, unit: string): Section {
  const host = body.HostConfig;
  const devices = (host['Devices'] ?? []) as { PathOnHost: string }[];
  const published = ports.map((port) => ['PublishPort', port] as const);
  return [
    ['Image', qualified(body.Image)],
    ['ContainerName', container],
    ['Entrypoint', escapeText(body.Entrypoint[0] ?? '')],
    ['Exec', body.Cmd.map(quoteWord).join(' ')],
    ...body.Env.map((one) => ['Environment', quoteWord(one)] as const),
    ...Object.entries(body.Labels).map(([name, value]) => ['Label', quoteWord(`${name}=${value}`)] as const),
    ...(published.length > 0 ? published : ([['Network', 'host']] as const)),
    ...mounts.map((mount) => mountOf(mount, unit)),
    ...devices.map(({ PathOnHost }) => ['AddDevice', PathOnHost] as const),
    ...one('GroupAdd', (host['GroupAdd'] as string[] | undefined)?.join(' ')),
    ...one('ShmSize', host['ShmSize']),
    ...one('User', body['User']),
    ...one('WorkingDir', body['WorkingDir']),
    ['NoNewPrivileges', 'true'],
    ['HealthCmd', 'none'],
    ['StopTimeout', String(graceOf(mark))],
    ['PodmanArgs', podmanArgs(body).join(' ')],
  ];
}

/** Podman takes no short names where nobody can be asked which registry is meant. */
function qualified(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]|^localhost$/.test(first) ? image : `docker.io/${image}`;
}

function one(key: string, value: unknown): Section {
  return typeof value === 'string' || typeof value === 'number' ? [[key, String(value)]] : [];
}

function mountOf({ Source, Target, ReadOnly }: Mount, unit: string): readonly [string, string] {
  if (Target.startsWith(secretFolder)) {
    const key = Target.slice(secretFolder.length);
    return ['Secret', `${unit}-${key},type=mount,target=${Target},mode=0400`];
  }
  return ['Volume', `${escapeText(Source)}:${escapeText(Target)}${ReadOnly ? ':ro' : ''}`];
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

function serviceOf(mark: Mark, { HostConfig }: ContainerBody): Section {
  const { Name } = HostConfig['RestartPolicy'] as { Name: string };
  return [
    ['Restart', Name],
    ['RestartSec', '2'],
    // An image may have to be fetched first.
    ['TimeoutStartSec', String(Math.ceil(mark.spec.readiness.startTimeoutMs / 1000) + 600)],
    ['TimeoutStopSec', String(graceOf(mark) + 10)],
  ];
}

function graceOf(mark: Mark): number {
  return Math.max(1, Math.ceil(mark.spec.stop.graceMs / 1000));
}

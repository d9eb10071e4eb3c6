import { z } from 'zod';
import { secretVariable } from '../../domain/audit/secret-variable.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import { redact, redactText, standsForNothing } from '../../domain/command-line/redact.ts';
import { listenPort } from '../../domain/audit/server-port.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';
import { adoptedMarks } from '../../targets/docker/adopt.ts';
import { ContainerList, State } from '../../targets/docker/answers.ts';
import { daemonsHere } from '../../targets/docker/daemon.ts';
import { fleetLabel, markLabel } from '../../container/render.ts';
import { ignoredIn } from '../../engines/registry.ts';
import { definedServer } from './defined-server.ts';
import { preparedServer } from './prepared-server.ts';
import { PortBindings } from './published-as.ts';
import { reachedPorts } from './reached-ports.ts';

export const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Path: z.string().nullish(),
  Args: z.array(z.string()).nullish(),
  RestartCount: z.number().nullish(),
  State: State.extend({ Health: z.object({ Status: z.string().nullish() }).nullish() }),
  Config: z.object({
    Image: z.string().nullish(),
    Env: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Healthcheck: z.object({ Test: z.array(z.string()).nullish() }).nullish(),
  }),
  HostConfig: z.object({
    Privileged: z.boolean().nullish(),
    PidMode: z.string().nullish(),
    NetworkMode: z.string().nullish(),
    PortBindings: PortBindings.nullish().catch(null),
    IpcMode: z.string().nullish(),
    ShmSize: z.number().nullish(),
    Tmpfs: z.record(z.string(), z.string()).nullish(),
    RestartPolicy: z.object({ Name: z.string().nullish() }).nullish(),
    NanoCpus: z.number().nullish(),
    CpuQuota: z.number().nullish(),
    CpuPeriod: z.number().nullish(),
    Memory: z.number().nullish(),
    Runtime: z.string().nullish(),
    DeviceRequests: z.array(z.unknown()).nullish().catch(null),
    Devices: z.array(z.unknown()).nullish().catch(null),
  }),
  NetworkSettings: z
    .object({ Ports: PortBindings.nullish().catch(null) })
    .nullish()
    .catch(null),
  Mounts: z
    .array(z.object({ Destination: z.string() }))
    .nullish()
    .catch(null),
});
export type Inspected = z.infer<typeof Inspected>;

/** Every container of this machine's daemons that runs, or would run, a model server. One that cannot be asked has none. */
export async function modelContainers(world: World): Promise<ObservedContainer[]> {
  const daemons = await daemonsHere(world);
  const found = await Promise.all(daemons.map((api) => ofDaemon(world, api).catch(() => [])));
  // One daemon may listen in two places.
  return [...new Map(found.flat().map((one) => [one.id, one])).values()];
}

async function ofDaemon(world: World, api: DockerApi): Promise<ObservedContainer[]> {
  const [{ json }, adopted] = await Promise.all([
    api.ask('GET', '/containers/json?all=1'),
    adoptedMarks(world, api),
  ]);
  const list = ContainerList.safeParse(json).data ?? [];
  const told = await Promise.all(
    list.map(async ({ Id }) => {
      const answer = await api.ask('GET', `/containers/${Id}/json`);
      return Inspected.safeParse(answer.json).data ?? [];
    }),
  );
  return seenContainers(told.flat(), /podman/.test(api.where) ? 'podman' : 'docker').map((one) => ({
    ...one,
    marked: one.marked || adopted.has(one.id),
  }));
}

/** Those of one daemon that run, or would run, a model server. Pure. */
export function seenContainers(told: readonly Inspected[], tool: 'docker' | 'podman'): ObservedContainer[] {
  return told.flatMap((one) => {
    const seen = observed(one, tool);
    const network = /^container:(.+)$/.exec(one.HostConfig.NetworkMode ?? '')?.[1];
    const owner = told.find(({ Id, Name }) => network !== undefined && [Id, Name.slice(1)].includes(network));
    return seen ? [owner ? { ...seen, published: publishedBy(owner, seen) } : seen] : [];
  });
}

/** Of what leads into a network that several containers share, each has what leads to its own port. */
function publishedBy(owner: Inspected, { starts }: ObservedContainer): ObservedContainer['published'] {
  const port = listenPort(starts);
  return hasOwnNetwork(owner.HostConfig) ? reachedPorts(owner).filter(({ to }) => to === port) : [];
}

/** Null for what runs no model server, and for a container that a pod of Kubernetes has: that belongs to its pod. Pure. */
export function observed(container: Inspected, tool: 'docker' | 'podman'): ObservedContainer | null {
  const { Config, HostConfig, State: state } = container;
  const labels = Config.Labels ?? {};
  const env = (Config.Env ?? []).map(
    (one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)] as const,
  );
  const command = [...(container.Path ? [container.Path] : []), ...(container.Args ?? [])];
  // A word that everybody writes where there is no key keeps nobody out.
  const told = env.filter(([name, value]) => !secretVariable.test(name) || !standsForNothing(value));
  const what = { image: Config.Image ?? null, env: Object.fromEntries(told) };
  const starts = definedServer({ ...what, command, args: [] }) ?? preparedServer(command, what);
  if (!starts || labels['io.kubernetes.pod.uid'] !== undefined) return null;
  const shares = [
    ...(HostConfig.PidMode === 'host' ? (['pid'] as const) : []),
    ...(HostConfig.NetworkMode === 'host' ? (['network'] as const) : []),
    ...(HostConfig.IpcMode === 'host' ? (['ipc'] as const) : []),
  ];
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ''),
    tool,
    image: Config.Image ?? '',
    state: stateNames[state.Status ?? ''] ?? state.Status ?? 'unknown',
    exitCode: state.Running ? null : (state.ExitCode ?? null),
    outOfMemory: state.OOMKilled ?? false,
    restarts: container.RestartCount ?? null,
    restartPolicy: HostConfig.RestartPolicy?.Name || 'no',
    health: state.Health?.Status ?? null,
    healthCheck: Config.Healthcheck?.Test ? redact(Config.Healthcheck.Test) : null,
    privileged: HostConfig.Privileged ?? false,
    shares,
    published: hasOwnNetwork(HostConfig) ? reachedPorts(state.Running ? container : { HostConfig }) : [],
    hasGpu: hasGpu(container, tool),
    ignored: ignoredIn(
      starts.engine,
      env.map(([name]) => name),
    ),
    shmBytes: hasOwnShm(container) ? (HostConfig.ShmSize ?? null) : null,
    cpuLimit: cpuLimit(HostConfig),
    memoryLimit: HostConfig.Memory || null,
    error: state.Running || !state.Error ? null : redactText(state.Error),
    secretVariables: env.flatMap(([name, value]) =>
      secretVariable.test(name) && !standsForNothing(value) ? [name] : [],
    ),
    managedBy: managerOf(labels),
    // Of one whose unit has the mark the fleet alone is told.
    marked: labels[markLabel] !== undefined || labels[fleetLabel] !== undefined,
    starts,
  };
}

/** Of "--cpus", or of a quota over a period, 100 ms unless it says otherwise; -1 and 0 are none. */
function cpuLimit({ NanoCpus, CpuQuota, CpuPeriod }: Inspected['HostConfig']): number | null {
  if (NanoCpus) return NanoCpus / 1e9;
  return CpuQuota && CpuQuota > 0 ? CpuQuota / (CpuPeriod || 100_000) : null;
}

/** Those that podman has names of its own for. */
const stateNames: Readonly<Record<string, string>> = {
  configured: 'created',
  initialized: 'created',
  stopped: 'exited',
};

const plainRuntimes = /^(runc|crun|youki|io\.containerd\.runc\.v2)?$/;

/** Podman's hooks give devices that do not show. */
function hasGpu({ HostConfig, Mounts }: Inspected, tool: 'docker' | 'podman'): boolean | null {
  const { DeviceRequests, Devices, Runtime, Privileged } = HostConfig;
  const given =
    (DeviceRequests ?? []).length > 0 ||
    (Devices ?? []).length > 0 ||
    !plainRuntimes.test(Runtime ?? '') ||
    Boolean(Privileged) ||
    (Mounts ?? []).some(({ Destination }) => /^\/dev(\/(dri|kfd|nvidia\S*|dxg))?\/?$/.test(Destination));
  return given || (tool === 'podman' ? null : false);
}

/** What publishes a port for the containers of one network is the one that has it: podman repeats it with each of them. */
function hasOwnNetwork({ NetworkMode }: Inspected['HostConfig']): boolean {
  return !/^(host$|none$|container:)/.test(NetworkMode ?? '');
}

/** What is mounted there, or shared with another container, may be of any size. */
function hasOwnShm({ HostConfig, Mounts }: Inspected): boolean {
  const mounted = [...Object.keys(HostConfig.Tmpfs ?? {}), ...(Mounts ?? []).map((one) => one.Destination)];
  return !mounted.includes('/dev/shm') && !(HostConfig.IpcMode ?? '').startsWith('container:');
}

function managerOf(labels: Readonly<Record<string, string>>): string | null {
  const project = labels['com.docker.compose.project'] ?? labels['io.podman.compose.project'];
  const unit = labels['PODMAN_SYSTEMD_UNIT'];
  const task = labels['com.docker.swarm.service.name'];
  if (project !== undefined) return `compose project ${project}`;
  if (unit !== undefined) return `unit ${unit}`;
  return task === undefined ? null : `swarm service ${task}`;
}

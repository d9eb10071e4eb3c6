import { basename, dirname, join } from 'node:path';
import { fillArg, fillArgs, filler, filesNamed } from '../domain/fill-args.ts';
import { gpuEnvironment } from '../domain/gpu-environment.ts';
import type { Mark } from '../domain/instance.ts';
import type { Accelerator } from '../domain/accelerators.ts';
import type { Hole, LaunchSpec } from '../domain/launch-spec.ts';
import { isOneOfSeveral } from '../domain/split-files.ts';
import type { DockerOptions } from './options.ts';

/** Labels that tell berth's containers; the mark itself is JSON. */
export const fleetLabel = 'berth.dev/fleet';
export const markLabel = 'berth.dev/mark';
/** What berth gave to the daemon beside the mark, as JSON. */
export const writtenLabel = 'berth.dev/written';

/** What of the host and its daemon goes into a container. */
export interface HostFacts {
  readonly podman: boolean;
  /** Folder with the files of secrets and the writable folders of this replica. */
  readonly stateDir: string;
  /** Numeric groups that own the devices of GPUs: names do not work in a container. */
  readonly gpuGroups: readonly string[];
  /** Its daemon may raise no limit of a process, such as one of a user's own: a container with a higher one does not start. */
  readonly fixedLimits?: true | undefined;
}

/** The body of a "create container". */
export interface ContainerBody {
  readonly Image: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal: string;
  readonly Healthcheck: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}

const byVendor = { none: 'cpu', nvidia: 'cuda', amd: 'rocm', intel: 'vulkan', any: 'vulkan' } as const;

/** The image that is taken; null when neither file nor engine name one. */
export function imageOf(spec: LaunchSpec, options: DockerOptions): string | null {
  const accelerator: Accelerator = byVendor[spec.devices.vendor];
  return options.image ?? spec.program.images?.[accelerator] ?? null;
}

/** What is run in it, before the arguments; null when nobody says. */
export function entrypointOf(spec: LaunchSpec, options: DockerOptions): readonly string[] | null {
  const { imageCommand, binary } = spec.program;
  return options.entrypoint ?? imageCommand ?? (binary === undefined ? null : [binary]);
}

/** Unlike a process, two of one replica have different names, so that the new one can be made beside the old. */
export function containerName({ fleet, deployment, replica, port }: Mark): string {
  return `berth-${fleet}-${deployment}-${replica}-${port}`;
}

/** The container of a mark. Pure, so that what runs can be held against it later. */
export function renderContainer(mark: Mark, options: DockerOptions, facts: HostFacts): ContainerBody {
  const { spec } = mark;
  const image = imageOf(spec, options) ?? '';
  const [program = '', ...before] = entrypointOf(spec, options) ?? [];
  const fill = fillerOf(mark, options);
  const caches = Object.entries(spec.caches ?? {}).map(([name, { env }]) => `${env}=${cachePath(name)}`);
  const env = Object.entries(spec.env).map(([name, arg]) => `${name}=${fillArg(arg, fill)}`);
  return {
    Image: image,
    Entrypoint: [program],
    Cmd: [...before, ...fillArgs(spec.args, fill)],
    Env: [...caches, ...env, ...amdEnvironment(spec)],
    Labels: {
      [fleetLabel]: mark.fleet,
      'berth.dev/deployment': mark.deployment,
      [markLabel]: JSON.stringify(mark),
    },
    StopSignal: spec.stop.signal,
    Healthcheck: healthcheck(mark, options, facts),
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
    ...(options.user === undefined ? {} : { User: options.user }),
    ...(options.network === 'host' ? {} : { ExposedPorts: { [`${mark.port}/tcp`]: {} } }),
    HostConfig: {
      ...hostConfig(mark, options, facts),
      ...options.hostConfig,
      ...ulimits(spec, options, facts),
    },
  };
}

function hostConfig(mark: Mark, options: DockerOptions, facts: HostFacts): Record<string, unknown> {
  const { spec } = mark;
  const shm = options.shm ?? spec.sharedMemory;
  const published = { [`${mark.port}/tcp`]: [{ HostIp: mark.address, HostPort: String(mark.port) }] };
  return {
    NetworkMode: options.network,
    ...(options.network === 'host' ? {} : { PortBindings: published }),
    RestartPolicy: { Name: restartOf(options, facts) },
    Mounts: mounts(mark, facts),
    // Where a host has SELinux, podman would keep models and devices from its containers: those carry other labels.
    SecurityOpt: ['no-new-privileges', ...(facts.podman ? ['label=disable'] : [])],
    ...(options.ipc === 'host' ? { IpcMode: 'host' } : shm === undefined ? {} : { ShmSize: shm }),
    ...amounts(spec),
    // Podman has no such log of its own.
    ...(facts.podman
      ? {}
      : { LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } } }),
    ...gpus(spec, options, facts),
  };
}

/** To ours those of the user are added, and of one name theirs counts. */
function ulimits(
  { lockedMemory }: LaunchSpec,
  { hostConfig: { Ulimits: given = [] } = {} }: DockerOptions,
  { fixedLimits }: HostFacts,
): { Ulimits?: readonly unknown[] } {
  if (!lockedMemory || fixedLimits || !Array.isArray(given)) return {};
  const stated = given.some((one: unknown) => (one as { Name?: unknown } | null)?.Name === 'memlock');
  return stated ? {} : { Ulimits: [...given, { Name: 'memlock', Soft: -1, Hard: -1 }] };
}

/** At boot podman starts again what restarts always, and nothing else. */
function restartOf({ restart }: DockerOptions, { podman }: HostFacts): string {
  return podman && restart === 'unless-stopped' ? 'always' : restart;
}

function amounts({ resources }: LaunchSpec): Record<string, number> {
  const { requests = {}, limits = {} } = resources ?? {};
  return {
    ...(requests.memory === undefined ? {} : { MemoryReservation: requests.memory }),
    ...(limits.memory === undefined ? {} : { Memory: limits.memory, MemorySwap: limits.memory }),
    // A container without any weighs 1024.
    ...(requests.cpu === undefined ? {} : { CpuShares: Math.max(2, Math.round(requests.cpu * 1024)) }),
    ...(limits.cpu === undefined ? {} : { NanoCpus: Math.round(limits.cpu * 1e9) }),
  };
}

/** The images' own check looks at a port that is not ours. One that has no curl would be unwell for ever. */
function healthcheck(mark: Mark, options: DockerOptions, facts: HostFacts): Record<string, unknown> {
  if (options.image !== undefined || facts.podman) return { Test: ['NONE'] };
  const second = 1e9;
  const url = `http://127.0.0.1:${mark.port}${mark.spec.readiness.path}`;
  return {
    Test: ['CMD', 'curl', '-fsS', '-m', '4', '-o', '/dev/null', url],
    Interval: 10 * second,
    Timeout: 5 * second,
    Retries: 3,
    StartPeriod: mark.spec.readiness.startTimeoutMs * 1e6,
  };
}

function gpus(spec: LaunchSpec, options: DockerOptions, facts: HostFacts): Record<string, unknown> {
  const { vendor, count, chosen } = spec.devices;
  const named = chosen?.ids ?? options.gpuIds;
  if (vendor === 'none') return {};
  if (vendor === 'nvidia' && facts.podman) {
    const ids = named ?? (count > 0 ? Array.from({ length: count }, (_, at) => String(at)) : ['all']);
    return { Devices: ids.map((id) => device(`nvidia.com/gpu=${id}`)) };
  }
  if (vendor === 'nvidia') {
    const which = named ? { DeviceIDs: named } : { Count: count > 0 ? count : -1 };
    return { DeviceRequests: [{ Driver: 'nvidia', ...which, Capabilities: [['gpu']] }] };
  }
  const paths = vendor === 'amd' ? ['/dev/kfd', '/dev/dri'] : ['/dev/dri'];
  return { Devices: paths.map(device), GroupAdd: [...facts.gpuGroups] };
}

/** Of AMD all GPUs are in the container, and a variable says which are its own. */
function amdEnvironment(spec: LaunchSpec): string[] {
  if (spec.devices.vendor !== 'amd') return [];
  const own = Object.entries(gpuEnvironment(spec)).filter(([name]) => spec.env[name] === undefined);
  return own.map(([name, value]) => `${name}=${value}`);
}

function device(path: string): Record<string, string> {
  return { PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' };
}

export interface Mount {
  readonly Type: 'bind' | 'volume';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
}

function mounts(mark: Mark, { stateDir }: HostFacts): Mount[] {
  const { spec } = mark;
  const files = [spec.model, spec.mmproj].flatMap((path) => (path === null ? [] : [modelMount(path)]));
  const named = filesNamed(spec).map((path) => bind(path, path, true));
  const own = `${mark.deployment}-${mark.replica}`;
  return [
    ...files,
    ...named,
    ...Object.keys(spec.secrets).map((name) =>
      bind(join(stateDir, 'secrets', `${own}-${name}`), secretPath(name), true),
    ),
    ...spec.writable.map((name) => bind(join(stateDir, 'work', own, name), writablePath(name), false)),
    ...Object.keys(spec.caches ?? {}).map((name): Mount => ({
      Type: 'volume',
      Source: `berth-${mark.fleet}-${name}`,
      Target: cachePath(name),
      ReadOnly: false,
    })),
  ];
}

function bind(source: string, target: string, readOnly: boolean): Mount {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly };
}

function modelMount(path: string): Mount {
  return isOneOfSeveral(path) ? bind(dirname(path), '/models', true) : bind(path, modelPath(path), true);
}

function modelPath(path: string): string {
  return `/models/${basename(path)}`;
}

function secretPath(name: string): string {
  return `/run/secrets/${name}`;
}

function writablePath(name: string): string {
  return `/var/lib/berth/${name}`;
}

function cachePath(name: string): string {
  return `/var/cache/berth/${name}`;
}

/** In a network of its own it has to listen on all addresses there; the published port is on the host's loopback. */
function fillerOf({ spec, address, port }: Mark, options: DockerOptions): (hole: Hole) => string {
  return filler({
    model: spec.model === null ? '' : modelPath(spec.model),
    mmproj: spec.mmproj === null ? '' : modelPath(spec.mmproj),
    host: options.network === 'host' ? address : '0.0.0.0',
    port,
    secret: secretPath,
    cache: writablePath,
  });
}

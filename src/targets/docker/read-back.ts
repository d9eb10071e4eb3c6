import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Drift } from '../contract.ts';
import { isForeign } from './adopt.ts';
import type { Inspected } from './answers.ts';
import { daemonOf } from './daemon.ts';
import { unitOf } from './kept-by-unit.ts';
import { apiOf, inspect } from './observe.ts';
import type { DockerOptions } from '../../container/options.ts';
import { renderContainer } from '../../container/render.ts';
import { writtenOf } from './written.ts';
import type { WrittenBody } from './written.ts';

/** In what a live container is not what its mark says: `docker update` changes some of it in its place. */
export async function readBack(world: World, instance: Instance): Promise<Drift[]> {
  const { api, id } = await apiOf(world, instance);
  const container = await inspect(api, id);
  // One that others have made is not of a form that the mark could tell.
  if (!container || !instance.mark || isForeign(container)) return [];
  const written = writtenOf(container);
  if (written) return driftOf(written.body, container);
  // Its own schema has parsed it before it was written into the mark.
  const options = instance.mark.target as unknown as DockerOptions;
  const { podman } = await daemonOf(world);
  const marked = renderContainer(instance.mark, options, { podman, stateDir: '', gpuGroups: [] });
  return driftOf(marked, container);
}

/** Fields that a daemon gives back as they were given to it; pure. */
export function driftOf(marked: WrittenBody, container: Inspected): Drift[] {
  const { Config, HostConfig } = container;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['image', plainImage(marked.Image), plainImage(Config.Image ?? '')],
    ['command', marked.Cmd, Config.Cmd],
    // One of a unit is started again by that.
    ...(unitOf(container) === null
      ? ([['restart', restartOf(marked.HostConfig), restartOf(HostConfig)]] as const)
      : []),
    ['memory', marked.HostConfig['Memory'] ?? 0, HostConfig['Memory'] ?? 0],
    ['cpus', marked.HostConfig['NanoCpus'] ?? 0, HostConfig['NanoCpus'] ?? 0],
    ['published ports', ports(marked.HostConfig), ports(HostConfig)],
  ];
  return pairs.flatMap(([field, a, b]) => {
    const [before, now] = [text(a), text(b)];
    return before === now ? [] : [{ field, marked: before, live: now }];
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function restartOf({ RestartPolicy }: Readonly<Record<string, unknown>>): string {
  return ((RestartPolicy ?? {}) as { Name?: string }).Name || 'no';
}

/** Podman puts the place in front: "localhost/x" is "x", "docker.io/library/x" too. */
function plainImage(image: string): string {
  return image.replace(/^(localhost|docker\.io(\/library)?)\//, '').replace(/:latest$/, '');
}

function ports(hostConfig: Readonly<Record<string, unknown>>): string {
  const bindings = (hostConfig['PortBindings'] ?? {}) as Record<
    string,
    { HostIp?: string; HostPort?: string }[] | null
  >;
  const each = Object.entries(bindings).flatMap(([port, places]) =>
    (places ?? []).map((place) => `${place.HostIp ?? ''}:${place.HostPort ?? ''}→${port}`),
  );
  return each.toSorted().join(' ');
}

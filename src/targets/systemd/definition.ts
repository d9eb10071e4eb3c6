import { join } from 'node:path';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { gpuGroups } from '../../container/gpu-groups.ts';
import { fetcherOf, unitFacts } from './facts.ts';
import type { SystemdOptions, UnitContainer } from './options.ts';
import { renderQuadlet } from './quadlet.ts';
import type { QuadletFacts } from './quadlet.ts';
import { renderUnit } from './render.ts';
import { unitPath } from './scope.ts';
import type { Scope } from './scope.ts';

/** The text by which a unit is known to systemd, or to podman, which makes the unit of it. */
export interface Definition {
  readonly path: string;
  readonly text: string;
  readonly dropIn: string;
  /** Of a unit that is no container's. */
  readonly environment: string | null;
}

/** Runs in a container, so that podman makes its unit. */
export function inContainer(
  options: Pick<SystemdOptions, 'container'>,
): options is SystemdOptions & { container: UnitContainer } {
  return options.container !== undefined;
}

export function definitionPath(
  scope: Scope,
  unit: string,
  options: Pick<SystemdOptions, 'container'>,
): string {
  return inContainer(options) ? containerFile(scope, unit) : unitPath(scope, unit);
}

export function containerFile(scope: Scope, unit: string): string {
  return join(scope.containers, `${unit}.container`);
}

/** What berth writes for this mark on this host by now. Throws PROGRAM_MISSING. */
export async function definitionOf(
  world: World,
  mark: Mark,
  { options, unit, scope }: { options: SystemdOptions; unit: string; scope: Scope },
): Promise<Definition> {
  const path = definitionPath(scope, unit, options);
  if (inContainer(options)) {
    const { unit: text, dropIn } = renderQuadlet(mark, options, await quadletFacts(world, { unit, scope }));
    return { path, text, dropIn, environment: null };
  }
  const rendered = renderUnit(mark, options, await unitFacts(world, { mark }, { unit, scope }));
  return { path, text: rendered.unit, dropIn: rendered.dropIn, environment: rendered.environment };
}

async function quadletFacts(
  world: World,
  { unit, scope }: { unit: string; scope: Scope },
): Promise<QuadletFacts> {
  return {
    unit,
    scope: scope.name,
    config: join(scope.config, unit),
    fetcher: await fetcherOf(world),
    gpuGroups: scope.name === 'user' ? ['keep-groups'] : await gpuGroups(world),
  };
}

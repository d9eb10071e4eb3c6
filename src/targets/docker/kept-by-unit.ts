import { BerthError } from '../../domain/errors/berth-error.ts';
import { isSamePlace } from '../../domain/fleet-part.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Inspected } from './answers.ts';
import { apiOf, inspect, markedContainers } from './observe.ts';

/** By which podman itself tells the unit that runs it (Quadlet, "podman generate systemd"). */
const unitLabel = 'PODMAN_SYSTEMD_UNIT';

/** The unit of systemd that keeps a container and would start it again; null when none does. Pure. */
export function unitOf({ Config }: Pick<Inspected, 'Config'>): string | null {
  const unit = Config.Labels?.[unitLabel] ?? null;
  // podman-compose names one whether it is there or not.
  return unit?.startsWith('podman-compose@') ? null : unit;
}

/** What is about to be ended is kept by no unit, which would start it again. Throws CONTAINER_KEPT. */
export function expectNotKept(container: Inspected): void {
  const unit = unitOf(container);
  if (unit !== null)
    throw new BerthError('CONTAINER_KEPT', { container: container.Name.replace(/^\//, ''), unit });
}

/** The same of all that runs in a place which a new container is to have. Throws CONTAINER_KEPT. */
export async function expectPlaceNotKept(world: World, place: Mark): Promise<void> {
  for (const one of await markedContainers(world)) {
    if (!one.alive || !isSamePlace(one.mark, place)) continue;
    const { api, id } = await apiOf(world, one);
    const container = await inspect(api, id);
    if (container) expectNotKept(container);
  }
}

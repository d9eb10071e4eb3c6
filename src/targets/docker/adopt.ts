import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { markText } from '../../domain/mark-text.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';
import type { Foreign } from '../contract.ts';
import { VolumeList } from './answers.ts';
import type { Inspected } from './answers.ts';
import { asked, daemonAt, must } from './daemon.ts';
import { fleetLabel, markLabel } from '../../container/render.ts';

/**
 * Marks of containers that somebody else made. Labels of a container cannot be changed without making it anew, so the mark is an
 * empty volume that is named by the id of its container: once that is gone, it means nothing.
 */
const prefix = 'berth-mark-';

/** Gives the definition that the container has, which may hold secrets. Throws DOCKER_REFUSED. */
export async function adopt(world: World, { container }: Foreign, mark: Mark): Promise<string | null> {
  if (!container)
    throw new BerthError('DOCKER_REFUSED', {
      question: `the container of ${mark.deployment}`,
      status: 404,
      answer: 'no daemon has it',
    });
  const api = await daemonAt(world, container.where);
  const path = `/containers/${container.id}/json`;
  const { json } = await must(world, api, { method: 'GET', path, fine: [200] });
  const labels = {
    [fleetLabel]: mark.fleet,
    'berth.dev/deployment': mark.deployment,
    [markLabel]: markText(mark),
  };
  // One of before, from an adoption that was broken off, would keep its labels.
  await forget(world, api, container.id);
  const body = { Name: `${prefix}${container.id}`, Labels: labels };
  await must(world, api, { method: 'POST', path: '/volumes/create', body, fine: [200, 201] });
  return JSON.stringify(json, null, 2);
}

/** Takes the mark away and leaves it running; false where berth has made the container itself. */
export async function disown(world: World, { object }: Pick<Instance, 'object'>): Promise<boolean> {
  const at = object.id.lastIndexOf('#');
  const api = await daemonAt(world, object.id.slice(0, at));
  const id = object.id.slice(at + 1);
  if (!(await adoptedMarks(world, api)).has(id)) return false;
  await forget(world, api, id);
  return true;
}

/** The marks of a daemon, by the ids of containers that may be gone; none where it shows no volumes (a proxy before its socket). */
export async function adoptedMarks(world: World, api: DockerApi): Promise<ReadonlyMap<string, Mark>> {
  const filters = encodeURIComponent(JSON.stringify({ label: [fleetLabel] }));
  const path = `/volumes?filters=${filters}`;
  const answer = await must(world, api, { method: 'GET', path, fine: [200, 403, 404, 405, 501] });
  const volumes = VolumeList.safeParse(answer.json).data?.Volumes ?? [];
  const marks = volumes.flatMap(({ Name, Labels }) => {
    const mark = Name.startsWith(prefix) ? parseMark(Labels?.[markLabel]) : null;
    return mark ? [[Name.slice(prefix.length), mark] as const] : [];
  });
  return new Map(marks);
}

/** Berth writes the mark of its own containers on themselves. */
export function isForeign({ Config }: Pick<Inspected, 'Config'>): boolean {
  return Config.Labels?.[markLabel] === undefined;
}

/** Idempotent; a container that berth has made itself has no such volume. */
export async function forget(world: World, api: DockerApi, id: string): Promise<void> {
  const path = `/volumes/${prefix}${id}`;
  await must(world, api, { method: 'DELETE', path, fine: [204, 200, 404] });
}

/** Marks of this place whose containers others have removed. */
export async function forgetGone(world: World, api: DockerApi, place: Mark): Promise<void> {
  for (const [id, mark] of await adoptedMarks(world, api)) {
    const same = mark.fleetId === place.fleetId && mark.deployment === place.deployment;
    if (!same || mark.replica !== place.replica) continue;
    const { status } = await asked(world, api, 'GET', `/containers/${id}/json`);
    if (status === 404) await forget(world, api, id);
  }
}

import type { Instance } from '../../domain/instance.ts';
import { containerLines } from '../../io/docker-frames.ts';
import type { World } from '../../io/world.ts';
import { wayFault } from './daemon.ts';
import { apiOf, inspect } from './observe.ts';

/** Lines of a container, oldest first; nothing where it is gone. */
export async function* containerLogs(
  world: World,
  instance: Instance,
  how: { lines: number; follow: boolean; signal: AbortSignal; since?: number },
): AsyncIterable<string> {
  const { api, id } = await apiOf(world, instance);
  const container = await inspect(api, id);
  if (!container) return;
  const since = how.since === undefined ? '' : `&since=${how.since}`;
  const path = `/containers/${id}/logs?stdout=true&stderr=true&tail=${how.lines}&follow=${how.follow}${since}`;
  try {
    const { status, body } = await api.open('GET', path, { signal: how.signal });
    if (status === 200) yield* containerLines(body, container.Config.Tty ?? false);
  } catch (error) {
    if (!how.signal.aborted) throw await wayFault(world, api.where, error);
  }
}

import type { Place } from './client.ts';
import { preparing } from './init-containers.ts';
import { objectPath } from './kinds.ts';
import { podsOf, restartsOf } from './state.ts';
import type { Made } from './state.ts';
import { textLines } from './text-lines.ts';

/** So a node begins where it has thrown a container away by now, as if that were a line of it. */
const noLongerThere = 'unable to retrieve container logs for ';

export interface LinesWanted {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * Lines of its pod, oldest first; nothing where there is none. Of one that has crashed, what it said before its end comes first;
 * while the pod is being prepared the lines are those of what prepares it.
 */
export async function* podLines(
  place: Place,
  { made, container }: { made: Made | null; container: string },
  how: LinesWanted,
): AsyncIterable<string> {
  const [pod] = made ? podsOf(made) : [];
  if (!made || !pod) return;
  const first = preparing(pod);
  const restarts = first ? (first.restartCount ?? 0) : restartsOf(made);
  const path = `${objectPath({ apiVersion: 'v1', kind: 'Pod' }, place.namespace, pod.metadata.name)}/log?container=${first?.name ?? container}&tailLines=${how.lines}`;
  if (restarts > 0)
    for await (const line of linesOf(place, `${path}&previous=true`, how.signal))
      if (!line.startsWith(noLongerThere)) yield line;
  yield* linesOf(place, `${path}&follow=${how.follow}`, how.signal);
}

/** All that a container says, to its end. */
export async function* containerLines(
  place: Place,
  { pod, container }: { pod: string; container: string },
  signal: AbortSignal,
): AsyncIterable<string> {
  const path = `${objectPath({ apiVersion: 'v1', kind: 'Pod' }, place.namespace, pod)}/log?container=${container}&follow=true`;
  yield* linesOf(place, path, signal);
}

export async function* linesOf({ api }: Place, path: string, signal: AbortSignal): AsyncIterable<string> {
  try {
    const { status, body } = await api.open(path, signal);
    if (status === 200) yield* textLines(body);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

import type { Place } from './client.ts';
import { objectPath } from './kinds.ts';
import { podsOf, restartsOf } from './state.ts';
import type { Made } from './state.ts';
import { textLines } from './text-lines.ts';

export interface LinesWanted {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Lines of its pod, oldest first; nothing where there is none. Of one that has crashed, what it said before its end comes first. */
export async function* podLines(
  place: Place,
  { made, container }: { made: Made | null; container: string },
  how: LinesWanted,
): AsyncIterable<string> {
  const [pod] = made ? podsOf(made) : [];
  if (!made || !pod) return;
  const path = `${objectPath({ apiVersion: 'v1', kind: 'Pod' }, place.namespace, pod.metadata.name)}/log?container=${container}&tailLines=${how.lines}`;
  if (restartsOf(made) > 0) yield* linesOf(place, `${path}&previous=true`, how.signal);
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

import { TextDecoder } from 'node:util';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { objectPath } from '../../kube/kinds.ts';
import { lookAgain } from './observe.ts';
import { podsOf, restartsOf } from './state.ts';

interface How {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Lines of its pod, oldest first; nothing where there is none. */
export async function* logs(world: World, instance: Instance, how: How): AsyncIterable<string> {
  yield* podLines(await placeOf(world), instance, how);
}

/** Of one that has crashed, what it said before its end comes first. */
export async function* podLines(place: Place, instance: Instance, how: How): AsyncIterable<string> {
  const made = await lookAgain(place, instance);
  const [pod] = made ? podsOf(made) : [];
  if (!made || !pod) return;
  const path = `${objectPath({ apiVersion: 'v1', kind: 'Pod' }, place.namespace, pod.metadata.name)}/log?container=engine&tailLines=${how.lines}`;
  if (restartsOf(made) > 0) yield* linesOf(place, `${path}&previous=true`, how.signal);
  yield* linesOf(place, `${path}&follow=${how.follow}`, how.signal);
}

async function* linesOf({ api }: Place, path: string, signal: AbortSignal): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let held = '';
  try {
    const { status, body } = await api.open(path, signal);
    if (status !== 200) return;
    for await (const chunk of body) {
      const lines = (held + decoder.decode(chunk, { stream: true })).split('\n');
      held = lines.pop() ?? '';
      yield* lines;
    }
    if (held !== '') yield held;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { DeploymentLive } from '../../kube/answers.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { driftBetween, driftOf } from '../../kube/foresee.ts';
import { filesDrift } from '../../kube/given-files.ts';
import { markAnnotation, writtenAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { knowsSleep } from '../../kube/server-version.ts';
import { otherLines, readWritten } from '../../kube/written.ts';
import type { Drift } from '../contract.ts';
import { adoptedIn, isAdopted } from './adopt.ts';
import { mergePatch } from '../../kube/merge-patch.ts';
import { markedObjects, plainObjects } from './objects.ts';
import { lookAgain } from './observe.ts';
import { optionsOf } from './options.ts';

/** What of its objects berth would send otherwise by now; nothing where it does not tell what was sent. */
export async function rendersOtherwise(world: World, instance: Instance): Promise<string[]> {
  const { mark } = instance;
  const made = await lookAgain(await placeOf(world), instance);
  // Of what others made it would write all otherwise, and does so with the next change.
  if (!made || isAdopted(made.deployment)) return [];
  const written = readWritten(made.deployment.metadata.annotations?.[writtenAnnotation]);
  if (!mark || !written) return [];
  // Rendered for no server in particular, or for an older one: no reason for new pods.
  const forms = [true, false].map((sleeps) =>
    otherLines(written, plainObjects(mark, optionsOf(mark), { sleeps })),
  );
  return forms.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

/** What others have changed of what was sent. */
export async function readBack(world: World, instance: Instance): Promise<Drift[]> {
  const { mark } = instance;
  if (!mark) return [];
  const place = await placeOf(world);
  return [...(await objectDrift(place, instance, mark)), ...(await filesDrift(place, mark))];
}

async function objectDrift(place: Place, instance: Instance, mark: Mark): Promise<Drift[]> {
  const made = await lookAgain(place, instance);
  const annotations = made?.deployment.metadata.annotations ?? {};
  const { [markAnnotation]: marked = '', [writtenAnnotation]: text = '' } = annotations;
  const written = readWritten(text);
  if (!written)
    return driftOf(place, markedObjects(mark, optionsOf(mark), { sleeps: await knowsSleep(place) }));
  const adopted = adoptedIn(made);
  if (adopted) return foundDrift(place, written, adopted);
  const sent = written.map((object) => {
    if (object.kind !== 'Deployment') return object;
    const own = { ...object.metadata.annotations, [markAnnotation]: marked, [writtenAnnotation]: text };
    return { ...object, metadata: { ...object.metadata, annotations: own } };
  });
  return driftOf(place, sent);
}

/** Of what others made all counts that was found there; of what berth has made beside it, what it has sent. */
async function foundDrift(
  place: Place,
  written: readonly KubeObject[],
  { spec }: DeploymentLive,
): Promise<Drift[]> {
  const own = written.filter(({ kind }) => kind !== 'Deployment');
  const found = written
    .filter((object) => !own.includes(object))
    .flatMap((object) => driftBetween(object, { spec: noted(spec) }, { spec: noted(object['spec']) }));
  return [...found, ...(await driftOf(place, own))];
}

/** A pod template without annotations has none: one that berth writes there is compared by itself. */
function noted(spec: unknown): unknown {
  return mergePatch({ template: { metadata: { annotations: {} } } }, spec);
}

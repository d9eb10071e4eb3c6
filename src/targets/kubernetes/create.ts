import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { leftText } from '../../domain/left.ts';
import type { World } from '../../io/world.ts';
import { applyObject, deleteObject, getMetadata, listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { applyFiles, configMapKind, filesName, filesOfRan, givenObjects } from '../../kube/given-files.ts';
import type { KubeKind } from '../../kube/kinds.ts';
import { fleetIdLabel, fleetLabel, objectName, ranAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Started, StartRequest } from '../contract.ts';
import { PodLive } from '../../kube/answers.ts';
import { podLines } from '../../kube/pod-lines.ts';
import { kept, keptSeconds } from './kept.ts';
import { adoptedIn, isAdopted } from './adopt.ts';
import { serveAdopted } from './adopted-service.ts';
import { fetchInCluster } from './fetch-jobs.ts';
import { leaves } from './leaves.ts';
import { markedObjects, secretOf } from './objects.ts';
import { platformKinds } from './platform.ts';
import { engineContainer, instanceOf, look, lookAgain, markOf, podsText } from './observe.ts';
import { optionsOf } from './options.ts';
import type { KubernetesOptions } from './options.ts';
import { expectOwn, expectUntracked } from '../../kube/ownership.ts';
import { knowsSleep } from '../../kube/server-version.ts';
import { countsOf, endingOf, isRolledOut } from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';
import { deploymentKind, takeOver } from './take-over.ts';
import { goneAlready, waitGone } from '../../kube/wait-gone.ts';

/**
 * What a replica may have beside what platforms do, in the order in which it is taken away. Claims stay: they hold what was
 * fetched.
 */
const kinds = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'v1', kind: 'Service' },
  deploymentKind,
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'v1', kind: 'Secret' },
  configMapKind,
] as const;

/** Makes all objects of a replica, or has those that are there as they should be; what is no longer wanted goes. */
export async function create(
  world: World,
  { mark, keepsOld = false, onProgress = () => {} }: StartRequest,
  options: KubernetesOptions,
): Promise<Started> {
  const place = await placeOf(world);
  await applyAll(world, place, { mark, options, force: false, keepsOld, onProgress });
  return startedOf(place, mark);
}

/** The new pod has the requests by now: the old one may end. */
export async function finish(world: World, instance: Instance): Promise<void> {
  const place = await placeOf(world);
  const made = await lookAgain(place, instance);
  const mark = made && markOf(made.deployment);
  if (!made || !mark || made.deployment.spec.minReadySeconds !== keptSeconds) return;
  for (const object of markedObjects(mark, optionsOf(mark), { sleeps: await knowsSleep(place) }))
    if (object.kind === 'Deployment') await applyObject(place, object, { force: true });
  const until = world.clock.now() + finishMs;
  for (let now: Made | null = made; now && !isRolledOut(now) && world.clock.now() < until;) {
    await world.clock.sleep(250);
    now = await lookAgain(place, instance);
  }
}

/** A cluster that takes longer to begin with it does the rest alone. */
const finishMs = 30_000;

async function applyAll(
  world: World,
  place: Place,
  wish: {
    mark: Mark;
    options: KubernetesOptions;
    force: boolean;
    keepsOld: boolean;
    onProgress: (line: string) => void;
  },
): Promise<void> {
  const { mark, options, force, keepsOld, onProgress } = wish;
  const before = await look(place, mark);
  const adopted = adoptedIn(before);
  const wanted = markedObjects(mark, options, { sleeps: await knowsSleep(place) });
  const given = await givenObjects(world, place, mark);
  const objects = [...(await secretOf(world, mark)), ...(before && keepsOld ? wanted.map(kept) : wanted)];
  await expectOwn(place, mark, [...given, ...objects]);
  try {
    await applyFiles(place, given);
    for (const object of objects) {
      if (adopted && object.kind === 'Deployment') await takeOver(place, adopted);
      if (object.kind === 'Job') {
        const from = mark.spec.fetched?.from ?? '';
        await fetchInCluster(world, place, { job: object, from, force, onProgress });
        continue;
      }
      await applyObject(place, object, {
        force: force || (adopted !== null && object.kind === 'Deployment'),
      });
    }
  } catch (error) {
    // A half of something new is of no use to anyone; of what was there, the rest is as it was.
    if (!before) {
      await removeAll(place, mark, []);
      await tellLeft(world, place, { mark, onProgress });
    }
    throw error;
  }
  await removeAll(place, mark, [...objects, ...given, ...filesOfBefore(before)]);
}

/** Who goes back needs what the pods of before were given, and so do these until they are gone. */
function filesOfBefore(before: Made | null): Pick<KubeObject, 'kind' | 'metadata'>[] {
  const mark = before && markOf(before.deployment);
  if (!mark) return [];
  const ran = before.deployment.metadata.annotations?.[ranAnnotation] ?? null;
  const names = [filesName(mark) ?? [], filesOfRan(mark, ran)].flat();
  return names.map((name) => ({ kind: configMapKind.kind, metadata: { name } }));
}

/** Claims that are there, also half filled: what was fetched need not be fetched again. */
async function tellLeft(
  world: World,
  place: Place,
  { mark, onProgress }: { mark: Mark; onProgress: (line: string) => void },
): Promise<void> {
  const kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
  for (const left of await leaves(world, mark))
    if (await getMetadata(place, { ...kind, name: left.name })) onProgress(leftText(left));
}

/**
 * New pods of the same, with everything as berth made it: what somebody else has changed since is taken back. A time in their
 * template, which has an owner of its own, is what makes them new.
 */
export async function restart(
  world: World,
  instance: Instance,
  { keepsOld = false }: { keepsOld?: boolean } = {},
): Promise<Started> {
  const place = await placeOf(world);
  const made = await lookAgain(place, instance);
  const { mark } = instance;
  if (!made || !mark) throw goneAlready(instance.object.name);
  // What others made is started anew as it is.
  if (isAdopted(made.deployment)) await serveAdopted(place, mark, { force: true });
  else
    await applyAll(world, place, {
      mark,
      options: optionsOf(mark),
      force: true,
      keepsOld,
      onProgress: () => {},
    });
  const annotations = { 'berth.dev/restarted-at': world.clock.wall().toISOString() };
  const object = {
    ...deploymentKind,
    metadata: { name: made.deployment.metadata.name },
    spec: { template: { metadata: { annotations } } },
  };
  await applyObject(place, object, { manager: 'berth-restart', force: true });
  return startedOf(place, mark);
}

async function startedOf(place: Place, { reached: _before, ...mark }: Mark): Promise<Started> {
  const made = await look(place, mark);
  if (!made) throw goneAlready(objectName(mark.deployment, mark.replica));
  const instance = await instanceOf(place, mark, made);
  const counts = countsOf(made);
  return {
    // What served before is not this start's.
    instance: { ...instance, mark },
    ending: async () => {
      const now = await lookAgain(place, instance);
      return now ? endingOf(now, counts) : { code: null, signal: null };
    },
    lines: async (count) => {
      const lines: string[] = [];
      const how = { lines: count, follow: false, signal: AbortSignal.timeout(10_000) };
      const made = await lookAgain(place, instance);
      for await (const line of podLines(place, { made, container: engineContainer(made) }, how))
        lines.push(line);
      return lines;
    },
  };
}

/** Takes everything of the replica away but claims; pods get their time to end, and then none. */
export async function remove(
  world: World,
  instance: Instance,
  { graceMs }: { graceMs: number },
): Promise<void> {
  const place = await placeOf(world);
  const { mark } = instance;
  const made = mark && (await lookAgain(place, instance));
  if (!mark || !made) return;
  expectUntracked('Deployment', made.deployment);
  await removeAll(place, mark, []);
  // It has none of berth's labels by which all else is found.
  if (isAdopted(made.deployment)) await deleteObject(place, deploymentKind, made.deployment.metadata);
  const { preStop = 0 } = mark.target as unknown as Partial<KubernetesOptions>;
  await waitGone(world, place, {
    graceMs: graceMs + preStop * 1000,
    pods: () => podsLeft(place, mark),
    rest: async () => {
      const left = await look(place, mark);
      return left && { kind: 'deployment', object: left.deployment };
    },
  });
}

function podsLeft(place: Place, mark: Mark): Promise<PodLive[]> {
  return listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels: podsText(mark) }, PodLive);
}

/** Deletes what carries this fleet's labels and is of this replica, but for those objects. */
async function removeAll(
  place: Place,
  mark: Mark,
  keep: readonly Pick<KubeObject, 'kind' | 'metadata'>[],
): Promise<void> {
  const labels = [
    `${fleetLabel}=${mark.fleet}`,
    `${fleetIdLabel}=${mark.fleetId}`,
    `app.kubernetes.io/instance=${objectName(mark.deployment, mark.replica)}`,
  ].join(',');
  for (const kind of [...platformKinds, ...kinds]) {
    for (const { metadata } of await seen(place, { ...kind, labels }))
      if (!keep.some((one) => one.kind === kind.kind && one.metadata.name === metadata.name))
        await deleteObject(place, kind, metadata);
  }
}

/** Who may not look at a kind that platforms bring has made none of it. */
async function seen(place: Place, kind: KubeKind & { readonly labels: string }): Promise<Live[]> {
  try {
    return await listObjects(place, kind, Live);
  } catch (error) {
    const isUnseen = error instanceof BerthError && error.code === 'KUBE_FORBIDDEN';
    if (isUnseen && [...platformKinds, { kind: 'Job' }, configMapKind].some((one) => one.kind === kind.kind))
      return [];
    throw error;
  }
}

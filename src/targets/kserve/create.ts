import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { PodLive } from '../../kube/answers.ts';
import { applyObject, deleteObject, getObject, listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { driftOf } from '../../kube/foresee.ts';
import {
  applyFiles,
  dropFiles,
  filesDrift,
  filesName,
  filesOfRan,
  givenObjects,
} from '../../kube/given-files.ts';
import { fleetIdLabel, fleetLabel, objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { expectOwn, expectUntracked, otherOwner } from '../../kube/ownership.ts';
import { podLines } from '../../kube/pod-lines.ts';
import { secretObject } from '../../kube/secret-object.ts';
import { countsOf, endingOf } from '../../kube/state.ts';
import { goneAlready, waitGone } from '../../kube/wait-gone.ts';
import { otherLines, readWritten } from '../../kube/written.ts';
import type { Drift, Started, StartRequest } from '../contract.ts';
import { changesMode, isKnative } from './knative-spec.ts';
import { expectKnative } from './knative.ts';
import { besideService, manifestsOf, runtimeKind, secretName, serviceKind } from './manifests.ts';
import { allMarks, dropMark, keepMark, markObject, markOf } from './marks.ts';
import { instanceOf, look, lookAgain, podLabels } from './observe.ts';
import { optionsOf } from './options.ts';
import { readRecord } from './record.ts';
import { release } from './stop.ts';
import { isStopped } from './stopped.ts';
import { storageSecret } from './storage-secret.ts';
import { restartAnnotation } from './taken-over.ts';

/** Makes the service and its runtime, or has those that are there as they should be. */
export async function create(world: World, { mark }: StartRequest): Promise<Started> {
  const place = await placeOf(world);
  await applyAll(world, place, { mark, force: false });
  return startedOf(place, mark);
}

async function applyAll(
  world: World,
  place: Place,
  { mark, force }: { mark: Mark; force: boolean },
): Promise<void> {
  if (isKnative(optionsOf(mark))) await expectKnative(place, mark.deployment);
  const before = await look(place, mark);
  const filesBefore = before ? await filesOf(world, place, before.service) : [];
  const sent = manifestsOf(mark, optionsOf(mark));
  const given = await givenObjects(world, place, mark);
  const objects = [...(await secretOf(world, mark)), ...(await storageSecret(world, mark)), ...sent];
  await expectOwn(place, mark, [...given, ...objects, markObject(mark, sent)]);
  const there = before && changesMode(before.service, mark) ? null : before;
  if (before && !there) await endService(world, place, { mark, service: before.service });
  try {
    await applyFiles(place, given);
    for (const object of objects) await applyObject(place, object, { force });
    await keepMark(place, mark, sent);
  } catch (error) {
    if (!there) await removeAll(place, mark, filesBefore);
    throw error;
  }
  if (before) await removeBeside(place, mark, objects);
  await dropFiles(place, mark, [...given.map(({ metadata }) => metadata.name), ...filesBefore]);
  if (there && isStopped(there.service)) await release(place, there.service);
}

/** The service alone, for one of another mode. */
async function endService(
  world: World,
  place: Place,
  { mark, service }: { mark: Mark; service: Live },
): Promise<void> {
  expectUntracked(serviceKind.kind, service);
  await deleteObject(place, serviceKind, service.metadata);
  await waitServiceGone(world, place, { mark, graceMs: mark.spec.stop.graceMs });
}

/** What the pods of before were given, and those of what ran before them, stays for who goes back. */
async function filesOf(world: World, place: Place, service: Live): Promise<string[]> {
  const before = markOf(await allMarks(place), service);
  if (!before) return [];
  const { mark } = before;
  return [filesName(mark) ?? [], filesOfRan(mark, await readRecord(world, mark))].flat();
}

async function secretOf(world: World, mark: Mark): Promise<KubeObject[]> {
  const labels = {
    'app.kubernetes.io/managed-by': 'berth',
    [fleetLabel]: mark.fleet,
    [fleetIdLabel]: mark.fleetId,
  };
  return secretObject(world, mark.spec, { name: secretName(mark), labels });
}

/** What stands on a service flows into its pods: a time there makes them new. */
export async function restart(world: World, instance: Instance): Promise<Started> {
  const place = await placeOf(world);
  const { mark } = instance;
  if (!mark || !(await lookAgain(place, instance))) throw goneAlready(instance.object.name);
  await applyAll(world, place, { mark, force: true });
  const annotations = { [restartAnnotation]: world.clock.wall().toISOString() };
  const metadata = { name: objectName(mark.deployment, mark.replica), annotations };
  const spec = { predictor: {} };
  await applyObject(place, { ...serviceKind, metadata, spec }, { manager: 'berth-restart', force: true });
  return startedOf(place, mark);
}

async function startedOf(place: Place, { reached: _before, ...mark }: Mark): Promise<Started> {
  const served = await look(place, mark);
  if (!served) throw goneAlready(objectName(mark.deployment, mark.replica));
  const instance = instanceOf(mark, served);
  const counts = served.made ? countsOf(served.made) : new Map<string, number>();
  return {
    // What served before is not this start's.
    instance: { ...instance, mark },
    ending: async () => {
      const now = await lookAgain(place, instance);
      if (!now) return { code: null, signal: null };
      return now.made ? endingOf(now.made, counts) : null;
    },
    lines: async (count) => {
      const lines: string[] = [];
      const made = (await lookAgain(place, instance))?.made ?? null;
      const how = { lines: count, follow: false, signal: AbortSignal.timeout(10_000) };
      for await (const line of podLines(place, { made, container: 'kserve-container' }, how))
        lines.push(line);
      return lines;
    },
  };
}

/** Takes the service, its secret, its mark and a runtime that no other service names away; pods get their time to end. */
export async function remove(
  world: World,
  instance: Instance,
  { graceMs }: { graceMs: number },
): Promise<void> {
  const place = await placeOf(world);
  const { mark } = instance;
  const served = mark && (await lookAgain(place, instance));
  if (!mark || !served) return;
  expectUntracked(serviceKind.kind, served.service);
  await removeAll(place, mark);
  await waitServiceGone(world, place, { mark, graceMs });
}

async function waitServiceGone(
  world: World,
  place: Place,
  { mark, graceMs }: { mark: Mark; graceMs: number },
): Promise<void> {
  const labels = podLabels(objectName(mark.deployment, mark.replica));
  await waitGone(world, place, {
    graceMs,
    pods: () => listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels }, PodLive),
    rest: async () => {
      const left = await look(place, mark);
      return left && { kind: 'inference service', object: left.service };
    },
  });
}

const Naming = Live.extend({
  spec: z.object({
    predictor: z.looseObject({ model: z.looseObject({ runtime: z.string().nullish() }).nullish() }),
  }),
});

async function removeAll(place: Place, mark: Mark, files: readonly string[] = []): Promise<void> {
  const objects = manifestsOf(mark, optionsOf(mark));
  const [service] = objects.filter((one) => one.kind === serviceKind.kind);
  if (service) await removeOwn(place, mark, service);
  await removeBeside(place, mark, []);
  await dropFiles(place, mark, files);
  const runtime = objects.find((one) => one.kind === runtimeKind.kind);
  if (runtime && !(await isNamed(place, runtime.metadata.name, service?.metadata.name)))
    await removeOwn(place, mark, runtime);
  await dropMark(place, mark);
}

/** Secrets, accounts and rights of a service, but for those that it needs by now. Who may not look at them has made none. */
async function removeBeside(place: Place, mark: Mark, keep: readonly KubeObject[]): Promise<void> {
  for (const own of besideService(mark)) {
    if (keep.some((one) => one.kind === own.kind && one.metadata.name === own.metadata.name)) continue;
    try {
      await removeOwn(place, mark, own);
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'KUBE_FORBIDDEN') throw error;
    }
  }
}

async function isNamed(place: Place, runtime: string, besides: string | undefined): Promise<boolean> {
  const services = await listObjects(place, { ...serviceKind, labels: '' }, Naming);
  return services.some(
    ({ metadata, spec }) => metadata.name !== besides && spec.predictor.model?.runtime === runtime,
  );
}

async function removeOwn(
  place: Place,
  mark: Mark,
  { apiVersion, kind, metadata }: KubeObject,
): Promise<void> {
  const live = await getObject(place, { apiVersion, kind, name: metadata.name }, Live);
  if (live && otherOwner(live, mark) === null) await deleteObject(place, { apiVersion, kind }, live.metadata);
}

/** What others have changed of what was sent. */
export async function readBack(world: World, instance: Instance): Promise<Drift[]> {
  const { mark } = instance;
  if (!mark) return [];
  const place = await placeOf(world);
  const sent = (await sentOf(place, instance)) ?? manifestsOf(mark, optionsOf(mark));
  return [...(await driftOf(place, sent)), ...(await filesDrift(place, mark))];
}

/** What of its objects berth would send otherwise by now; nothing where it does not tell what was sent. */
export async function rendersOtherwise(world: World, instance: Instance): Promise<string[]> {
  const { mark } = instance;
  const sent = await sentOf(await placeOf(world), instance);
  return mark && sent ? otherLines(sent, manifestsOf(mark, optionsOf(mark))) : [];
}

async function sentOf(place: Place, instance: Instance): Promise<KubeObject[] | null> {
  const served = await lookAgain(place, instance);
  return served && readWritten(markOf(await allMarks(place), served.service)?.written);
}

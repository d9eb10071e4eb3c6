import { isDeepStrictEqual } from 'node:util';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { applyObject, getObject, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { nameOfObject } from '../../kube/kinds.ts';
import type { Drift, StartRequest } from '../contract.ts';
import { differencesOf } from './differences.ts';
import { markedObjects } from './objects.ts';
import { look, markOf } from './observe.ts';
import type { KubernetesOptions } from './options.ts';
import { expectOwn } from './ownership.ts';

/** What the cluster would say to all of it: its own defaults, admission, quotas and owners. Nothing is changed. */
export async function preview(
  world: World,
  { mark }: StartRequest,
  options: KubernetesOptions,
): Promise<Finding[]> {
  const place = await placeOf(world);
  const objects = markedObjects(mark, options);
  const findings: Finding[] = [];
  async function ask(question: () => Promise<unknown>): Promise<void> {
    try {
      await question();
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      // A namespace that is about to be made has nothing to say yet.
      if (error.code === 'KUBE_NAMESPACE_MISSING' && world.cluster?.createNamespace) return;
      const { message, code, cure } = error;
      if (!findings.some((one) => one.message === message))
        findings.push({
          rule: 'cluster',
          severity: 'critical',
          object: mark.deployment,
          message,
          evidence: [code],
          cure,
        });
    }
  }
  await ask(() => expectOwn(place, mark, objects));
  if (findings.length > 0) return findings;
  // The same once more is a restart, which takes back what others have changed.
  const force = await isThereAlready(place, mark);
  for (const object of objects) await ask(() => applyObject(place, object, { dryRun: true, force }));
  return findings;
}

async function isThereAlready(place: Place, mark: Mark): Promise<boolean> {
  const made = await look(place, mark);
  const there = made && markOf(made.deployment);
  const wanted: unknown = JSON.parse(JSON.stringify([mark.spec, mark.target, mark.port]));
  return there !== null && isDeepStrictEqual([there.spec, there.target, there.port], wanted);
}

/** What somebody else changed: in what the live objects are not as they would be if berth had its way. */
export async function readBack(world: World, instance: Instance): Promise<Drift[]> {
  const { mark } = instance;
  if (!mark) return [];
  const place = await placeOf(world);
  // Its own schema has parsed them before they were written into the mark.
  const options = mark.target as unknown as KubernetesOptions;
  const drift: Drift[] = [];
  for (const object of markedObjects(mark, options)) {
    const { apiVersion, kind, metadata } = object;
    const live = await getObject(place, { apiVersion, kind, name: metadata.name }, Live);
    if (!live) {
      drift.push({ field: nameOfObject(object), marked: 'there', live: null });
      continue;
    }
    const wanted = await applyObject(place, object, { dryRun: true, force: true });
    drift.push(
      ...differencesOf(live, wanted).map((one) => ({
        ...one,
        field: `${nameOfObject(object)} ${one.field}`,
      })),
    );
  }
  return drift;
}

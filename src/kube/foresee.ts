import { BerthError } from '../domain/errors/berth-error.ts';
import { withoutPlaces } from '../domain/given-files.ts';
import type { Finding } from '../domain/finding.ts';
import type { Mark } from '../domain/instance.ts';
import type { Drift } from '../targets/contract.ts';
import { applyObject, getObject, Live } from './client.ts';
import type { Place } from './client.ts';
import { differencesOf } from './differences.ts';
import { nameOfObject } from './kinds.ts';
import type { KubeObject } from './object.ts';
import { expectOwn, expectUntracked, otherOwner } from './ownership.ts';

/**
 * What the cluster would say to all of it: its own defaults, admission, quotas and owners. Nothing is changed. `instead` asks it
 * of an object that is not just applied, and is null for all others.
 */
export async function foresee(
  place: Place,
  mark: Pick<Mark, 'fleet' | 'fleetId' | 'deployment'>,
  {
    objects,
    force,
    makesNamespace,
    instead = () => null,
  }: {
    objects: readonly KubeObject[];
    force: boolean;
    makesNamespace: boolean;
    instead?: (object: KubeObject) => Promise<unknown> | null;
  },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  async function ask(question: () => Promise<unknown>): Promise<void> {
    try {
      await question();
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      // A namespace that is about to be made has nothing to say yet.
      if (error.code === 'KUBE_NAMESPACE_MISSING' && makesNamespace) return;
      if (findings.some((one) => one.message === error.message)) return;
      findings.push(findingOf(mark.deployment, error));
    }
  }
  await ask(() => expectOwn(place, mark, objects));
  if (findings.length > 0) return findings;
  for (const object of objects)
    await ask(() => instead(object) ?? applyObject(place, object, { dryRun: true, force }));
  return findings;
}

/** What keeps an object of this fleet from being taken away: another program has it, and would make it again. Reads only. */
export async function endFindings(
  place: Place,
  mark: Pick<Mark, 'fleet' | 'fleetId' | 'deployment'>,
  named: { readonly apiVersion: string; readonly kind: string; readonly name: string },
): Promise<Finding[]> {
  const live = await getObject(place, named, Live);
  if (!live || otherOwner(live, mark) !== null) return [];
  try {
    expectUntracked(named.kind, live);
    return [];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return [findingOf(mark.deployment, error)];
  }
}

/** A refusal as what keeps a change from being tried. Pure. */
export function findingOf(object: string, { message, code, cure }: BerthError): Finding {
  return { rule: 'cluster', severity: 'critical', object, message, evidence: [code], cure };
}

/** What somebody else changed: in what the live objects are not as they would be if berth had its way. */
export async function driftOf(place: Place, objects: readonly KubeObject[]): Promise<Drift[]> {
  const drift: Drift[] = [];
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const live = await getObject(place, { apiVersion, kind, name: metadata.name }, Live);
    if (!live) {
      drift.push({ field: nameOfObject(object), marked: 'there', live: null });
      continue;
    }
    const wanted = await applyObject(place, object, { dryRun: true, force: true });
    drift.push(...driftBetween(object, live, wanted));
  }
  return drift;
}

/** The differences of one object, each with the name of that. Pure. */
export function driftBetween(
  object: KubeObject,
  ...[live, wanted]: Parameters<typeof differencesOf>
): Drift[] {
  const name = nameOfObject(object);
  return differencesOf(live, wanted).map((one) => ({ ...one, field: `${name} ${one.field}` }));
}

/** The very same is there already: then it is a restart that is asked for, which takes back what others have changed. */
export function isSameMark(there: Mark | null, mark: Mark): boolean {
  return there !== null && asText(there) === asText(mark);
}

function asText({ spec, target, port }: Mark): string {
  return JSON.stringify([sorted(withoutPlaces(spec)), sorted(target), port]);
}

/** An order of keys that does not depend on who wrote them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, part]) => [key, sorted(part)]);
}

import { createHash } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { objectKey, sameObject } from '../../domain/instance.ts';
import type { Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { instancesOf } from '../observe/observe.ts';
import type { Observed } from '../observe/observe.ts';

/** What has changed since a plan was made, in words; empty when it still holds. */
export async function staleness(
  world: World,
  plan: Plan,
  observed: Pick<Observed, 'instances'>,
): Promise<string[]> {
  const changed: string[] = [];
  for (const { path, sha256 } of plan.basis.files) {
    const text = await world.files.read(path);
    if (text === null) changed.push(`${path} is gone`);
    else if (createHash('sha256').update(text).digest('hex') !== sha256) changed.push(`${path} has changed`);
  }
  const there = instancesOf(observed, plan).filter(({ mark }) => concerns(plan, mark?.deployment ?? ''));
  return [...changed, ...changedObjects(plan, there)];
}

/** Whether an apply was refused, before it touched anything, because its plan no longer holds. */
function isStale(error: unknown): error is BerthError {
  return error instanceof BerthError && error.code === 'PLAN_STALE';
}

/** How often a plan that others made stale is made anew: each time somebody else got done, so that few are enough. */
const attempts = 5;

/** Plans and applies until what it went by still held when it was its turn, at most a few times; `again` is called in between. */
export async function whileStale<T>(
  attempt: () => Promise<T>,
  again: (error: BerthError) => Promise<void>,
): Promise<T> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !isStale(error)) throw error;
      await again(error);
    }
  }
}

/** Pure. */
function changedObjects({ basis }: Plan, there: readonly Instance[]): string[] {
  const now = there.map((one) => one.object);
  const gone = basis.objects.filter((id) => !now.some((other) => sameObject(id, other)));
  const added = now.filter((id) => !basis.objects.some((other) => sameObject(id, other)));
  const other = there.filter(({ object, mark }) => {
    const before = basis.marks?.[basis.objects.findIndex((id) => sameObject(id, object))];
    return before !== undefined && hashOf(mark) !== before;
  });
  return [
    ...gone.map(({ name }) => `${name} has ended`),
    ...added.map(({ name }) => `${name} was started`),
    ...other.map(({ object }) => `${object.name} was changed`),
  ];
}

/** Of the objects that a plan is made from. */
export function markHashes({ basis }: Plan, there: readonly Instance[]): string[] {
  const marks = new Map(there.map(({ object, mark }) => [objectKey(object), mark]));
  return basis.objects.map((object) => hashOf(marks.get(objectKey(object)) ?? null));
}

/**
 * A mark is read in the order in which it was written, so that the same one gives the same text. Where it is reached is
 * seen, not written: pods come and go, and no plan is the less true for it.
 */
function hashOf(mark: Mark | null): string {
  const written = mark && { ...mark, reached: undefined };
  return createHash('sha256').update(JSON.stringify(written)).digest('hex');
}

/** What a plan says nothing of may come and go. */
function concerns({ only, onDemand }: Plan, deployment: string): boolean {
  return !onDemand?.includes(deployment) && (only?.includes(deployment) ?? true);
}

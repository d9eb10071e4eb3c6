import { createHash } from 'node:crypto';
import { sameObject } from '../domain/instance.ts';
import type { Plan } from '../domain/plan.ts';
import type { World } from '../io/world.ts';
import { instancesOf } from './observe.ts';
import type { Observed } from './observe.ts';

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
  const now = instancesOf(observed, plan)
    .filter(({ mark }) => concerns(plan, mark?.deployment ?? ''))
    .map((one) => one.object);
  const gone = plan.basis.objects.filter((id) => !now.some((other) => sameObject(id, other)));
  const added = now.filter((id) => !plan.basis.objects.some((other) => sameObject(id, other)));
  changed.push(...gone.map(({ name }) => `${name} has ended`));
  changed.push(...added.map(({ name }) => `${name} was started`));
  return changed;
}

/** What a plan says nothing of may come and go. */
function concerns({ only, onDemand }: Plan, deployment: string): boolean {
  return !onDemand?.includes(deployment) && (only?.includes(deployment) ?? true);
}

import { differenceLines, fieldDifferences } from '../../domain/field-differences.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Inspected } from './answers.ts';
import { apiOf, inspect } from './observe.ts';
import type { DockerOptions } from '../../container/options.ts';
import { renderContainer } from '../../container/render.ts';
import { comparable, writtenOf } from './written.ts';

/** Lines of a container's body that berth would write otherwise by now; none where it does not tell what was written. */
export async function rendersOtherwise(world: World, instance: Instance): Promise<string[]> {
  const { api, id } = await apiOf(world, instance);
  const container = await inspect(api, id);
  return container && instance.mark ? otherLines(instance.mark, container) : [];
}

/** Pure. */
export function otherLines(mark: Mark, container: Inspected): string[] {
  const written = writtenOf(container);
  if (!written) return [];
  // Its own schema has parsed them before they were written into the mark.
  const options = mark.target as unknown as DockerOptions;
  const now = comparable(renderContainer(mark, options, written.facts));
  return differenceLines(
    `container ${container.Name.replace(/^\//, '')}`,
    fieldDifferences(written.body, now),
  );
}

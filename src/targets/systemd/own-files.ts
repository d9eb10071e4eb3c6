import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { containerFile, inContainer } from './definition.ts';
import { optionsOf } from './options.ts';
import { unitPath } from './scope.ts';
import type { Scope } from './scope.ts';
import { isWrittenByBerth } from './unit-text.ts';

/** Of the two files that can define a unit, those that are berth's and those that somebody else has put there. */
export interface DefinitionFiles {
  readonly own: readonly string[];
  readonly foreign: readonly string[];
}

/**
 * A file is berth's where the mark beside it is of its kind, as that of an adopted unit, or where it says so itself: a change between
 * the kinds that was cut off leaves both. One that cannot be read is somebody else's.
 */
export async function definitionFiles(
  world: World,
  scope: Scope,
  { unit, mark }: { unit: string; mark: Mark | null },
): Promise<DefinitionFiles> {
  const isContainer = mark !== null && inContainer(optionsOf(mark));
  const own: string[] = [];
  const foreign: string[] = [];
  for (const [path, isMarked] of [
    [unitPath(scope, unit), mark !== null && !isContainer],
    [containerFile(scope, unit), isContainer],
  ] as const) {
    if ((await world.files.stat(path).catch(() => null)) === null) continue;
    const text = isMarked ? null : await world.files.read(path).catch(() => null);
    (isMarked || (mark !== null && isWrittenByBerth(text ?? '')) ? own : foreign).push(path);
  }
  return { own, foreign };
}

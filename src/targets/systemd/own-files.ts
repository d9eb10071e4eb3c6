import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { containerFile, inContainer } from './definition.ts';
import { optionsOf } from './options.ts';
import { asRoot, dropInPath, reasonOf, unitPath } from './scope.ts';
import type { Scope } from './scope.ts';
import { isWrittenByBerth, readUnit, valuesOf } from './unit-text.ts';
import { readAsRoot } from './write-files.ts';

/** Of the two files that can define a unit, those that are berth's and those that somebody else has put there. */
export interface DefinitionFiles {
  readonly own: readonly string[];
  readonly foreign: readonly string[];
}

/**
 * A file is berth's where the mark beside it is of its kind, as that of an adopted unit, or where it says so itself: a change between
 * the kinds that was cut off leaves both. One that cannot be read, or not even be looked at, is somebody else's. Throws BECOME_REFUSED.
 */
export async function definitionFiles(
  world: World,
  scope: Scope,
  { unit, mark }: { unit: string; mark: Mark | null },
): Promise<DefinitionFiles> {
  const isContainer = mark !== null && inContainer(optionsOf(mark));
  const isUnit = mark !== null && (!isContainer || (await isAdopted(world, scope, unit)));
  const own: string[] = [];
  const foreign: string[] = [];
  for (const [path, isMarked] of [
    [unitPath(scope, unit), isUnit],
    [containerFile(scope, unit), isContainer],
  ] as const) {
    if (!(await isTaken(world, scope, path))) continue;
    const text = isMarked || mark === null ? null : await textOf(world, scope, path);
    (isMarked || isWrittenByBerth(text ?? '') ? own : foreign).push(path);
  }
  return { own, foreign };
}

/** Whether the unit's own file is still the one that somebody has written whose unit was adopted. */
export async function isAdopted(world: World, scope: Scope, unit: string): Promise<boolean> {
  const dropIn = await world.files.read(dropInPath(scope, unit)).catch(() => null);
  return valuesOf(readUnit(dropIn ?? ''), 'Unit', 'X-Berth-Adopted').length > 0;
}

/** What a file of the scope holds, read with its rights where ours are too few; null where nobody can read it. */
export async function textOf(world: World, scope: Scope, path: string): Promise<string | null> {
  return (await world.files.read(path).catch(() => null)) ?? (await readAsRoot(world, scope, path));
}

const look = 'if [ -e "$1" ] || [ -L "$1" ]; then echo taken; else echo free; fi';

/** Something has the name, be it a link that leads nowhere. What nobody can tell counts as taken: a write would go over it. */
async function isTaken(world: World, scope: Scope, path: string): Promise<boolean> {
  const seen = await world.files.stat(path).catch(() => 'hidden' as const);
  if (seen !== null && seen !== 'hidden') return true;
  const rights = seen === 'hidden' ? asRoot(scope) : [];
  // Without further rights the answer would be that of those who may not look.
  if (seen === 'hidden' && rights.length === 0) return true;
  const said = await world.exec.run([...rights, 'sh', '-c', look, 'sh', path], { timeoutMs: 30_000 });
  if (rights.length > 0 && (said.code === null || (said.code !== 0 && /^sudo:/m.test(reasonOf(said)))))
    throw new BerthError('BECOME_REFUSED', { reason: reasonOf(said) });
  return said.stdout.trim() !== 'free';
}

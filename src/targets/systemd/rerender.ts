import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { definitionOf, definitionPath } from './definition.ts';
import { unitOfObject } from './logs.ts';
import { optionsOf } from './options.ts';
import { unitSum } from './render.ts';
import { dropInPath, scopeNamed } from './scope.ts';
import { readUnit, valuesOf } from './unit-text.ts';

/** Lines of a unit that berth would write otherwise by now. None where berth did not write it, or could not write it any longer. */
export async function rendersOtherwise(world: World, instance: Instance): Promise<string[]> {
  const { mark } = instance;
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  const dropIn = await world.files.read(dropInPath(scope, unit)).catch(() => null);
  const keys = readUnit(dropIn ?? '');
  const [written] = valuesOf(keys, 'Unit', 'X-Berth-Unit-Sha256');
  const [adopted] = valuesOf(keys, 'Unit', 'X-Berth-Adopted');
  if (mark === null || written === undefined || adopted === 'yes') return [];
  try {
    const options = optionsOf(mark);
    const file = definitionPath(scope, unit, options);
    const now = (await definitionOf(world, mark, { options, unit, scope })).text;
    if (unitSum(now) === written) return [];
    const before = ((await world.files.read(file)) ?? '').split('\n');
    const lines = now.split('\n').filter((line) => !before.includes(line));
    const gone = before.filter((line) => !now.split('\n').includes(line));
    return [...gone.map((line) => `${file}: - ${line}`), ...lines.map((line) => `${file}: + ${line}`)];
  } catch (error) {
    if (error instanceof BerthError) return [];
    throw error;
  }
}

import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Foreign } from '../contract.ts';
import { unitOfObject } from './logs.ts';
import { show } from './observe.ts';
import { isAdopted, textOf } from './own-files.ts';
import { dropInOf } from './render.ts';
import { dropInPath, scopeNamed, tell, unitPath } from './scope.ts';
import type { Scope } from './scope.ts';
import { removeFiles, writeFiles } from './write-files.ts';

/**
 * Puts the mark beside the unit of somebody else. systemd reads its files anew for it, which restarts nothing; so a unit whose files
 * wait to be read is refused: their change would come in with ours. Throws UNIT_NOT_READ.
 */
export async function adopt(world: World, { unit: where }: Foreign, mark: Mark): Promise<string | null> {
  if (!where)
    throw new BerthError('SYSTEMD_FAILED', {
      unit: mark.deployment,
      what: 'found',
      reason: 'no unit keeps it',
    });
  const unit = where.name.replace(/\.service$/, '');
  const scope = scopeNamed(world, where.scope);
  const shown = (await show(world, scope, [unit])).get(unit);
  if (shown?.get('NeedDaemonReload') === 'yes') throw new BerthError('UNIT_NOT_READ', { unit });
  const text = await world.files.read(unitPath(scope, unit)).catch(() => null);
  // One of a package lies elsewhere, and is written anew by its next version.
  if (text === null)
    throw new BerthError('UNIT_ELSEWHERE', {
      unit,
      path: shown?.get('FragmentPath') ?? '',
      folder: scope.units,
    });
  const dropIn = dropInOf(mark, text, { adopted: true });
  await writeFiles(world, scope, [{ path: dropInPath(scope, unit), text: dropIn, mode: '644' }]);
  await tell(world, scope, { args: ['daemon-reload'], unit, what: 'read' });
  return text;
}

/**
 * Keeps the definition of an adopted unit that is about to be taken away or written over, beside where it lay, under a name that
 * systemd does not read. Units that berth has written itself need none.
 */
export async function keepDefinition(world: World, scope: Scope, unit: string): Promise<void> {
  if (!(await isAdopted(world, scope, unit))) return;
  const path = unitPath(scope, unit);
  const text = await textOf(world, scope, path);
  if (text !== null) await writeFiles(world, scope, [{ path: `${path}.before-berth`, text, mode: '600' }]);
}

/** Takes the mark away; the unit itself stays as it is, whoever has written it. */
export async function disown(world: World, instance: Instance): Promise<boolean> {
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  const path = dropInPath(scope, unit);
  await removeFiles(world, scope, [path, join(scope.units, `${unit}.service.d`)]);
  await tell(world, scope, { args: ['daemon-reload'], unit, what: 'read' });
  return true;
}

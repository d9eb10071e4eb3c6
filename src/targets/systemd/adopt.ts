import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Foreign } from '../contract.ts';
import { unitOfObject } from './logs.ts';
import { dropInName, show } from './observe.ts';
import { dropInOf } from './render.ts';
import { scopeNamed, tell } from './scope.ts';
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
  const path = shown?.get('FragmentPath') ?? '';
  const [text, own] = await Promise.all([
    world.files.read(path).catch(() => null),
    world.files.read(join(scope.units, `${unit}.service`)).catch(() => null),
  ]);
  await writeFiles(world, scope, [{ path: dropInPath(scope, unit), text: dropInOf(mark, own), mode: '644' }]);
  await tell(world, scope, { args: ['daemon-reload'], unit, what: 'read' });
  return text;
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

function dropInPath(scope: Scope, unit: string): string {
  return join(scope.units, `${unit}.service.d`, dropInName);
}

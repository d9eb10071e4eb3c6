import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ObservedUnit } from '../../domain/audit/observation.ts';
import type { World } from '../../io/world.ts';
import { ask, scopeNamed, tell } from '../../targets/systemd/scope.ts';
import { removeFiles, writeFiles } from '../../targets/systemd/write-files.ts';
import { modelUnits } from '../gather/units.ts';
import type { Found, Removable } from './contract.ts';

const Definition = z.object({
  scope: z.enum(['system', 'user']),
  name: z.string(),
  files: z.array(z.object({ path: z.string(), text: z.string(), mode: z.enum(['600', '644']) })),
  enabled: z.boolean(),
  active: z.boolean(),
});
type Definition = z.infer<typeof Definition>;

export const unit = removableUnit('unit', 'system');
export const userUnit = removableUnit('user-unit', 'user');

function removableUnit(kind: string, scope: Definition['scope']): Removable {
  return {
    kind,
    example: `${kind}:kimi-cpu.service`,
    inCluster: false,
    find: (world, name) => findUnit(world, { kind, scope, name }),
    restore: async (world, definition) => restoreUnit(world, Definition.parse(definition)),
  };
}

async function findUnit(
  world: World,
  { kind, scope, name }: { kind: string; scope: Definition['scope']; name: string },
): Promise<Found> {
  const full = /\.\w+$/.test(name) ? name : `${name}.service`;
  const units = (await modelUnits(world)).filter((one) => one.scope === scope);
  const found = units.find((one) => one.name === full);
  const object = `${kind}:${full}`;
  if (!found)
    throw new BerthError('REMOVE_UNKNOWN', { object, known: units.map((one) => `${kind}:${one.name}`) });
  if (found.marked)
    throw new BerthError('REMOVE_REFUSED', {
      object,
      reason: 'it carries the mark of a fleet',
      cure: 'Take it out of that fleet file, or use "berth down" or "berth disown".',
    });
  const files = await filesOf(world, found);
  const definition: Definition = {
    scope,
    name: full,
    files,
    // What podman makes of a ".container" file is enabled by that file alone.
    enabled: found.enabled === true && found.madeBy !== 'quadlet',
    active: found.active === 'active',
  };
  const stays = files.every((one) => one.path !== found.path) ? `; ${found.path} stays` : '';
  const states = [found.active, found.enabled ? 'started at boot' : 'not started at boot'];
  return {
    what: `unit ${full}, ${states.join(', ')}${stays}`,
    loses: null,
    definition,
    remove: () => removeUnit(world, definition),
  };
}

/** Its own files: a template is others' too, and what a package brought comes again with its next version. */
async function filesOf(
  world: World,
  { name, path, dropIns, madeBy }: ObservedUnit,
): Promise<Definition['files']> {
  // What lies over several units, as over all of a template, is others' too.
  const folders = [`${name}.d`, ...(madeBy === 'template' ? [] : [`${basename(path)}.d`])];
  const over = dropIns.filter((one) => folders.includes(basename(dirname(one))) && !isPackaged(one));
  const own = madeBy === 'template' || isPackaged(path) ? over : [path, ...over];
  const read = await Promise.all(
    own.map(async (one) => {
      const [text, stat] = await Promise.all([world.files.read(one), world.files.stat(one)]);
      const open = ((stat?.mode ?? 0o644) & 0o004) !== 0;
      return text === null ? [] : [{ path: one, text, mode: open ? ('644' as const) : ('600' as const) }];
    }),
  );
  return read.flat();
}

function isPackaged(path: string): boolean {
  return /^\/usr\/(?!local\/)/.test(path);
}

async function removeUnit(world: World, { scope: name, name: unitName, files }: Definition): Promise<void> {
  const scope = scopeNamed(world, name);
  await tell(world, scope, { args: ['stop', unitName], unit: unitName, what: 'stopped' });
  await ask(world, scope, ['reset-failed', unitName]);
  // What a generator has made is not enabled, and refuses to be disabled.
  await tellIfItMay(world, name, unitName, 'disable');
  await removeFiles(world, scope, [
    ...files.map((one) => one.path),
    ...new Set(files.map((one) => dirname(one.path)).filter((folder) => folder.endsWith('.d'))),
  ]);
  await tell(world, scope, { args: ['daemon-reload'], unit: unitName, what: 'forgotten' });
}

async function restoreUnit(world: World, definition: Definition): Promise<string> {
  const { scope: name, name: unitName, files, enabled, active } = definition;
  const scope = scopeNamed(world, name);
  const there = (await Promise.all(files.map((one) => world.files.stat(one.path)))).findIndex((one) => one);
  if (there >= 0)
    throw new BerthError('REMOVE_REFUSED', {
      object: unitName,
      reason: `${files[there]?.path} is there already`,
      cure: 'Move that file away first.',
    });
  await writeFiles(world, scope, files);
  await tell(world, scope, { args: ['daemon-reload'], unit: unitName, what: 'read' });
  if (enabled) await tell(world, scope, { args: ['enable', unitName], unit: unitName, what: 'enabled' });
  if (active) await tell(world, scope, { args: ['start', unitName], unit: unitName, what: 'started' });
  return `unit ${unitName} is there again${active ? ', and started' : ''}`;
}

async function tellIfItMay(
  world: World,
  name: Definition['scope'],
  unitName: string,
  verb: string,
): Promise<void> {
  const scope = scopeNamed(world, name);
  const { stdout } = await ask(world, scope, ['is-enabled', unitName]);
  if (/^(enabled|enabled-runtime|disabled)\b/.test(stdout))
    await tell(world, scope, { args: [verb, unitName], unit: unitName, what: `${verb}d` });
}

import { basename, join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Drift, Usage } from '../contract.ts';
import { containerFile, definitionOf, definitionPath, inContainer } from './definition.ts';
import { unitOfObject } from './logs.ts';
import { show } from './observe.ts';
import { optionsOf } from './options.ts';
import { unitSum } from './render.ts';
import { dropInName, dropInPath, scopeNamed } from './scope.ts';
import type { Scope } from './scope.ts';
import { unitDifferences } from './unit-differences.ts';
import { readUnit, valuesOf } from './unit-text.ts';

/** In what a unit is not as it was written: its file, drop-ins of others, or a change that systemd has not read. */
export async function readBack(world: World, instance: Instance): Promise<Drift[]> {
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  const shown = (await show(world, scope, [unit])).get(unit);
  const others = (shown?.get('DropInPaths') ?? '')
    .split(' ')
    .filter((path) => path !== '' && basename(path) !== dropInName);
  const set = await Promise.all(
    [...others, ...(await dropInsOfContainer(world, scope, { unit, mark: instance.mark }))].map(
      async (path): Promise<Drift> => {
        const keys = readUnit((await world.files.read(path)) ?? '').flatMap(([, rows]) =>
          rows.map((row) => row.join('=')),
        );
        return { field: path, marked: null, live: keys.join(' ') };
      },
    ),
  );
  return [
    ...(await fileDrift(world, scope, { unit, mark: instance.mark })),
    ...set,
    ...(shown?.get('NeedDaemonReload') === 'yes'
      ? [{ field: 'daemon-reload', marked: null, live: 'changed files that systemd has not read' }]
      : []),
  ];
}

/** Key by key where what was written can be told once more; else that the file is another. */
async function fileDrift(
  world: World,
  scope: Scope,
  { unit, mark }: { unit: string; mark: Mark | null },
): Promise<Drift[]> {
  const file = definitionPath(scope, unit, mark === null ? {} : optionsOf(mark));
  const [text, dropIn] = await Promise.all([
    world.files.read(file),
    world.files.read(dropInPath(scope, unit)),
  ]);
  const [written = null] = valuesOf(readUnit(dropIn ?? ''), 'Unit', 'X-Berth-Unit-Sha256');
  const live = text === null ? null : unitSum(text);
  if (written === live) return [];
  const whole = [{ field: file, marked: written, live }];
  if (mark === null || text === null) return whole;
  const now = await definitionOf(world, mark, { options: optionsOf(mark), unit, scope }).catch(
    (error: unknown) => {
      if (error instanceof BerthError) return null;
      throw error;
    },
  );
  if (now === null || unitSum(now.text) !== written) return whole;
  const keys = unitDifferences(readUnit(now.text), readUnit(text));
  return keys.length === 0 ? whole : keys.map((one) => ({ ...one, field: `${file} ${one.field}` }));
}

/** What others lay over the file that podman makes the unit of. */
async function dropInsOfContainer(
  world: World,
  scope: Scope,
  { unit, mark }: { unit: string; mark: Mark | null },
): Promise<string[]> {
  if (mark === null || !inContainer(optionsOf(mark))) return [];
  const folder = `${containerFile(scope, unit)}.d`;
  const names = await world.files.list(folder).catch(() => []);
  return names.filter((one) => one.endsWith('.conf')).map((one) => join(folder, one));
}

export async function usage(world: World, instance: Instance): Promise<Usage> {
  const { scope: name, unit } = unitOfObject(instance);
  const shown = (await show(world, scopeNamed(world, name), [unit])).get(unit);
  const nanoseconds = shown?.get('CPUUsageNSec');
  const restarts = shown?.get('NRestarts');
  return {
    memoryBytes: instance.rssBytes,
    cpuSeconds: nanoseconds === undefined ? null : Number(nanoseconds) / 1e9,
    restarts: restarts === undefined ? null : Number(restarts),
  };
}

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Drift, Usage } from '../contract.ts';
import { unitOfObject } from './logs.ts';
import { dropInName, show } from './observe.ts';
import { scopeNamed } from './scope.ts';
import { readUnit, valuesOf } from './unit-text.ts';

/** In what a unit is not as it was written: its file, drop-ins of others, or a change that systemd has not read. */
export async function readBack(world: World, instance: Instance): Promise<Drift[]> {
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  const shown = (await show(world, scope, [unit])).get(unit);
  const file = `${scope.units}/${unit}.service`;
  const [text, dropIn] = await Promise.all([
    world.files.read(file),
    world.files.read(`${file}.d/${dropInName}`),
  ]);
  const [written = null] = valuesOf(readUnit(dropIn ?? ''), 'Unit', 'X-Berth-Unit-Sha256');
  const live = text === null ? null : createHash('sha256').update(text).digest('hex');
  const others = (shown?.get('DropInPaths') ?? '')
    .split(' ')
    .filter((path) => path !== '' && basename(path) !== dropInName);
  const set = await Promise.all(
    others.map(async (path): Promise<Drift> => {
      const keys = readUnit((await world.files.read(path)) ?? '').flatMap(([, rows]) =>
        rows.map((row) => row.join('=')),
      );
      return { field: path, marked: null, live: keys.join(' ') };
    }),
  );
  return [
    ...(written !== live ? [{ field: file, marked: written, live }] : []),
    ...set,
    ...(shown?.get('NeedDaemonReload') === 'yes'
      ? [{ field: 'daemon-reload', marked: null, live: 'changed files that systemd has not read' }]
      : []),
  ];
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

import { basename, dirname, join, resolve } from 'node:path';
import type { World } from '../../io/world.ts';
import { readForeign } from '../report/read-foreign.ts';
import { readRecords } from '../report/record-file.ts';
import { loadReport, runFolder } from '../run/runs.ts';
import { foreignSide, ownSide } from './side.ts';
import type { Side } from './side.ts';

/** A run of berth by its name, its folder or the report in it, or the file of another tool by its path. */
export async function openSide(world: World, name: string, cwd: string): Promise<Side> {
  const where = await whereOf(world, name, cwd);
  const foreign = await readForeign(world, where);
  if (foreign) return foreignSide(foreign);
  return ownSide({ report: await loadReport(world, where), records: await readRecords(world.files, where) });
}

/** What a name stands for now: the folder of a run, or the file of another tool. Throws RUN_UNKNOWN. */
export async function whereOf(world: World, name: string, cwd: string): Promise<string> {
  const path = resolve(cwd, name);
  const isFile = (await world.files.stat(path))?.isFile ?? false;
  if (!isFile) return runFolder(world, name.startsWith('.') ? path : name);
  if (basename(path) !== 'report.json') return path;
  // A report alone has no single requests; they lie beside it.
  return (await world.files.stat(join(dirname(path), 'run.json'))) ? dirname(path) : path;
}

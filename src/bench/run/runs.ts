import { isAbsolute, join } from 'node:path';
import type { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { Report, RunFile } from '../../domain/run/report.ts';
import type { RunSummary } from '../../domain/run/report.ts';
import type { World } from '../../io/world.ts';
import { behindName } from '../report/baselines.ts';
import { recoverReport } from './recover.ts';
import { outputRate } from '../analyse/scaling.ts';

/**
 * All runs on this machine, newest first. Folders that are not runs, or of a newer schema, are left out.
 * Who asks again and again hands in the same map: runs that are over are read once.
 */
export async function listRuns(
  world: World,
  over: Map<string, RunSummary> = new Map(),
): Promise<RunSummary[]> {
  const names = await world.files.list(world.places.runs);
  const found = await Promise.all(
    names.map(async (name) => {
      const summary = over.get(name) ?? (await summaryOf(world, join(world.places.runs, name)));
      if (summary && summary.state !== 'unfinished') over.set(name, summary);
      return summary;
    }),
  );
  return found
    .filter((summary) => summary !== null)
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt) || b.id.localeCompare(a.id));
}

/**
 * The report of a run, by its id (or the start or end of one that no other has), its name or its folder. Of a run that is
 * still going on or was ended by force: what its records tell so far.
 */
export async function loadReport(world: World, idOrFolder: string): Promise<Report> {
  const folder = await runFolder(world, idOrFolder);
  const written = await readWrittenReport(world, folder);
  if (written !== null) return written;
  return recoverReport(world, folder, await readRunFile(world, folder));
}

/** Null: there is none, for the run goes on or was ended by force. */
export async function readWrittenReport(world: World, folder: string): Promise<Report | null> {
  const path = join(folder, 'report.json');
  const text = await world.files.read(path);
  return text === null ? null : parseFile(path, text, Report);
}

/** Throws RUN_UNREADABLE when the folder is that of no run. */
export async function readRunFile(world: World, folder: string): Promise<RunFile> {
  const path = join(folder, 'run.json');
  const text = await world.files.read(path);
  if (text === null) throw new BerthError('RUN_UNREADABLE', { path, reason: 'there is no such file' });
  return parseFile(path, text, RunFile);
}

/** The folder of a run; of those that were given one name it is the newest. Throws RUN_UNKNOWN. */
export async function runFolder(world: World, word: string): Promise<string> {
  const idOrFolder = await behindName(world, word);
  if (isAbsolute(idOrFolder) || idOrFolder.startsWith('.')) return idOrFolder;
  const names = await world.files.list(world.places.runs);
  const exact = names.find((name) => name === idOrFolder);
  const close = names.filter((name) => name.startsWith(idOrFolder) || name.endsWith(idOrFolder));
  const [isLast, back = '0'] = /^last(?:~(\d+))?$/.exec(idOrFolder) ?? [];
  const newest = isLast === undefined ? undefined : names.toSorted().at(-1 - Number(back));
  const named = names.toSorted().findLast((name) => nameIn(name) === plainName(idOrFolder));
  const name = exact ?? newest ?? named ?? (close.length === 1 ? close[0] : undefined);
  if (name === undefined) throw new BerthError('RUN_UNKNOWN', { run: idOrFolder, folder: world.places.runs });
  return join(world.places.runs, name);
}

/** A name as it stands in the ids of its runs. */
export function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 40) || 'bench';
}

/** What `--name` said, or the benchmark's name, in the id of a run. */
function nameIn(id: string): string | undefined {
  return /^\d{8}T\d{6}Z_(.+)_[0-9a-f]{6}$/.exec(id)?.[1];
}

async function summaryOf(world: World, folder: string): Promise<RunSummary | null> {
  const text = await world.files.read(join(folder, 'run.json')).catch(() => null);
  if (text === null) return null;
  try {
    const run = parseFile(folder, text, RunFile);
    const reportText = await world.files.read(join(folder, 'report.json'));
    const report = reportText === null ? null : parseFile(folder, reportText, Report);
    const { url, deployment, model } = run.spec.target;
    return {
      id: run.id,
      folder,
      name: run.spec.name,
      startedAt: run.startedAt,
      state: report === null ? 'unfinished' : report.interrupted ? 'interrupted' : 'done',
      target: { url, deployment, model: report?.server.model ?? model },
      stages: (report?.stages ?? []).map((stage) => ({
        label: stage.label,
        outputTokensPerSecond: outputRate(stage),
        ttftP50Ms: stage.ttft?.p50 ?? null,
      })),
    };
  } catch (error) {
    if (error instanceof BerthError) return null;
    throw error;
  }
}

function parseFile<T>(path: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BerthError('RUN_UNREADABLE', { path, reason: 'it is not JSON' });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BerthError('RUN_UNREADABLE', {
    path,
    reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not of this schema'}`,
  });
}

import { join } from 'node:path';
import type { Report } from '../../domain/run/report.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { judgeHistory, runKey } from '../compare/history.ts';
import type { History } from '../compare/history.ts';
import { listRuns, loadReport } from './runs.ts';

/** How a run stands to the earlier ones of the same on this machine; what is not whole or showed the client is left out. */
export async function historyOf(world: World, run: Report): Promise<History> {
  const key = runKey(run);
  const summaries = await listRuns(world);
  const earlier: Report[] = [];
  for (const { id, state, startedAt } of summaries.toReversed()) {
    if (id === run.id || state !== 'done' || startedAt >= run.startedAt) continue;
    const report = await readable(world, join(world.places.runs, id));
    if (report && !report.clientLimited && runKey(report) === key) earlier.push(report);
  }
  return judgeHistory(run, earlier);
}

async function readable(world: World, folder: string): Promise<Report | null> {
  try {
    return await loadReport(world, folder);
  } catch (error) {
    if (error instanceof BerthError) return null;
    throw error;
  }
}

import { join } from 'node:path';
import { listRuns, loadReport, runFolder } from '../bench/run/runs.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { RunSummary } from '../domain/run/report.ts';
import type { World } from '../io/world.ts';
import type { ControlPorts } from '../server/ports.ts';

/** The kept runs, for the control API. A run is named by its id alone: what the network says never becomes a path. */
export function runPorts(world: World): Pick<ControlPorts, 'runs' | 'report' | 'reportHtml'> {
  const over = new Map<string, RunSummary>();
  return {
    runs: () => listRuns(world, over),
    report: (id) => ifKnown(id, () => loadReport(world, id)),
    reportHtml: async (id) => {
      const folder = await ifKnown(id, () => runFolder(world, id));
      return folder === null ? null : world.files.read(join(folder, 'report.html'));
    },
  };
}

async function ifKnown<Value>(id: string, find: () => Promise<Value>): Promise<Value | null> {
  if (!/^\w[\w.-]*$/.test(id)) return null;
  try {
    return await find();
  } catch (error) {
    if (error instanceof BerthError && error.code === 'RUN_UNKNOWN') return null;
    throw error;
  }
}
